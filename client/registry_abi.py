"""What of the registry's published interface the verifier calls and looks for."""

from eth_typing import ABI

REGISTRY_ABI: ABI = [
    {
        "type": "function",
        "name": "resultHashOf",
        "stateMutability": "view",
        "inputs": [{"name": "jobKey", "type": "bytes32"}],
        "outputs": [{"name": "resultHash", "type": "bytes32"}],
    },
    {
        "type": "function",
        "name": "compactHashOf",
        "stateMutability": "view",
        "inputs": [{"name": "word", "type": "uint256"}],
        "outputs": [{"name": "compactHash", "type": "bytes32"}],
    },
    {
        "type": "function",
        "name": "isIncluded",
        "stateMutability": "view",
        "inputs": [
            {"name": "jobKey", "type": "bytes32"},
            {"name": "resultHash", "type": "bytes32"},
            {
                "name": "inclusion",
                "type": "tuple",
                "components": [
                    {"name": "word", "type": "uint256"},
                    {"name": "bit", "type": "uint8"},
                    {"name": "mask", "type": "uint256"},
                    {"name": "root", "type": "bytes32"},
                    {"name": "proof", "type": "bytes32[]"},
                ],
            },
        ],
        "outputs": [{"name": "included", "type": "bool"}],
    },
    {
        "type": "event",
        "name": "JobConfirmed",
        "anonymous": False,
        "inputs": [
            {"name": "jobKey", "type": "bytes32", "indexed": True},
            {"name": "resultHash", "type": "bytes32", "indexed": False},
        ],
    },
    {
        "type": "event",
        "name": "CompactConfirmed",
        "anonymous": False,
        "inputs": [
            {"name": "word", "type": "uint256", "indexed": True},
            {"name": "mask", "type": "uint256", "indexed": False},
            {"name": "root", "type": "bytes32", "indexed": False},
        ],
    },
]

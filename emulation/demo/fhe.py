"""The demo's chapter about data that only its owner can read: encrypted and decrypted here, summed there."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from typing import Any

from client.documents import Status
from emulation.demo.data import VELOCITIES
from emulation.demo.scene import Scene

MEASURED = tuple(chain.from_iterable(VELOCITIES))

MEAN_WEIGHTS = (1 / len(MEASURED),) * len(MEASURED)

DRIFT_WEIGHTS = tuple(place - 2 for place, series in enumerate(VELOCITIES) for _ in series)
"""The contrast whose sum is zero if the series have no trend."""

TOLERANCE = 0.01
"""In km/s. CKKS computes with approximate numbers: here with an error of some 1e-4 in each."""

DEGREE = 4_096
"""The least that leaves room for a product at a security of 128 bits: slots for 20 times as many values."""

CKKS_PRIMES, CKKS_SCALE = (36, 36, 37), 2.0**30
"""In bits: all 109 that the degree allows, the last prime being the keys'. Of the other 72 a product has
twice the scale's, which leaves 12 for whole part and sign."""

PLAIN_MODULUS = 1_032_193
"""A prime that gives each slot the whole numbers up to half a million either way."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who alone has the secret key, which is in `context`."""

    scheme: str
    context: Any

    def job_input(self, values: Sequence[int], weights: Sequence[float]) -> dict[str, Any]:
        """What is sent: no value is in it that the key would not be needed for."""
        import tenseal

        encrypt = tenseal.ckks_vector if self.scheme == "ckks" else tenseal.bfv_vector
        # With the Galois keys, if there are any.
        public = self.context.serialize(save_secret_key=False, save_public_key=False, save_relin_keys=False)
        return {
            "scheme": self.scheme,
            "context": b64encode(public).decode(),
            "vector": [b64encode(encrypt(self.context, values).serialize()).decode()],
            "weights": weights,
        }

    def decrypted(self, result: str) -> list[float]:
        """The values of a job's result."""
        values: list[float] = _loaded(self.scheme, self.context, result).decrypt()
        return values


def sum_encrypted(scene: Scene) -> tuple[str, ...]:
    """The mean and the drift of Michelson's velocities of light. Gives back the jobs, now `confirming`."""
    screen, client = scene.screen, scene.acme.client
    screen.chapter("Encrypted data is summed by a service that cannot read it")
    if find_spec("tenseal") is None:
        screen.note("left out, for it needs TenSEAL: pip install -r requirements-fhe.txt")
        return ()
    screen.fact("data", f"A. A. Michelson's {len(MEASURED)} velocities of light in air, 1879")
    mean, drift = _with_galois_keys(), _without_keys()
    to_average, to_contrast = mean.job_input(MEASURED, MEAN_WEIGHTS), drift.job_input(MEASURED, DRIFT_WEIGHTS)
    has_secret = any(_public_context(each).has_secret_key() for each in (to_average, to_contrast))
    screen.check("no secret key is in what is sent", has_secret, expected=False)
    uploaded = json.dumps(to_average).encode()
    averaging = client.submit_uploaded("fhe.linear", client.upload(uploaded)).job.id
    drifting = client.submit("fhe.linear", to_contrast).job.id
    screen.fact("CKKS, mean", f"{averaging}, {len(uploaded) / 2**20:.1f} MiB uploaded, Galois keys included")
    screen.fact("BFV, drift", f"{drifting}, with a context of {len(b64decode(to_contrast['context']))} bytes")
    _watch(scene, {averaging: "CKKS, mean", drifting: "BFV, drift"})
    averaged, drifted = client.result(averaging).content, client.result(drifting).content
    screen.check("what was sent does not decrypt the answer", _opens(to_average, averaged), expected=False)
    _compare(scene, mean.decrypted(averaged), drift.decrypted(drifted))
    return averaging, drifting


def _compare(scene: Scene, average: Sequence[float], contrast: Sequence[float]) -> None:
    """What was decrypted, with the same sums in the clear."""
    screen, (mean,), drift = scene.screen, average, sum(contrast)
    clear_mean = sum(MEASURED) / len(MEASURED)
    clear_drift = sum(value * weight for value, weight in zip(MEASURED, DRIFT_WEIGHTS, strict=True))
    screen.fact("mean", f"299,000 + {mean:.4f} km/s decrypted, {clear_mean} computed in the clear")
    screen.check(f"they differ by less than {TOLERANCE} km/s", abs(mean - clear_mean) < TOLERANCE)
    screen.fact("drift", f"{drift} km/s decrypted, by the contrast -2, -1, 0, 1, 2 of the five series")
    screen.check("it is exactly what is computed in the clear", drift, clear_drift)


def _with_galois_keys() -> Owner:
    """The answer is one number."""
    import tenseal

    context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, DEGREE, coeff_mod_bit_sizes=list(CKKS_PRIMES))
    context.global_scale = CKKS_SCALE
    context.generate_galois_keys()
    return Owner("ckks", context)


def _without_keys() -> Owner:
    """The answer has a product for each value, and its owner adds them up."""
    import tenseal

    return Owner("bfv", tenseal.context(tenseal.SCHEME_TYPE.BFV, DEGREE, PLAIN_MODULUS))


def _watch(scene: Scene, labels: Mapping[str, str]) -> None:
    """Until each has a result; that it becomes final is shown elsewhere."""
    running = set(labels)
    with scene.screen.bars(labels) as show:
        for job in scene.acme.client.follow(*labels):
            show(job)
            if job.status is Status.CONFIRMING or job.is_terminal:
                running.discard(job.id)
            if not running:
                return


def _loaded(scheme: str, context: Any, result: str) -> Any:
    import tenseal

    load = tenseal.ckks_vector_from if scheme == "ckks" else tenseal.bfv_vector_from
    return load(context, b64decode(json.loads(result)["ciphertext"]))


def _public_context(sent: Mapping[str, Any]) -> Any:
    import tenseal

    return tenseal.context_from(b64decode(sent["context"]))


def _opens(sent: Mapping[str, Any], result: str) -> bool:
    """Whether someone with all that was sent can decrypt the result."""
    try:
        _loaded(sent["scheme"], _public_context(sent), result).decrypt()
    except ValueError:
        return False
    return True

"""The job types on offer: one module each, found by itself."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from chalicelib.job_types.contract import JobType


def _discover() -> Mapping[str, JobType]:
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    types = [module.JOB_TYPE for module in modules if hasattr(module, "JOB_TYPE")]
    return MappingProxyType({job_type.name: job_type for job_type in types})


JOB_TYPES: Mapping[str, JobType] = _discover()

"""All finders of causes that a run shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from kubectl_scratch.why.causes.arguments import find_arguments
from kubectl_scratch.why.causes.certificates import find_certificates
from kubectl_scratch.why.causes.configs import find_configs
from kubectl_scratch.why.causes.connections import find_connections
from kubectl_scratch.why.causes.crashes import find_crashes
from kubectl_scratch.why.causes.ends import find_ends
from kubectl_scratch.why.causes.files import find_missing_files
from kubectl_scratch.why.causes.hangs import find_hangs
from kubectl_scratch.why.causes.host_names import find_host_names
from kubectl_scratch.why.causes.kills import find_kills
from kubectl_scratch.why.causes.libraries import find_libraries
from kubectl_scratch.why.causes.locks import find_locks
from kubectl_scratch.why.causes.memory import find_memory
from kubectl_scratch.why.causes.modules import find_modules
from kubectl_scratch.why.causes.permissions import find_permissions
from kubectl_scratch.why.causes.ports import find_ports
from kubectl_scratch.why.causes.privileges import find_privileges
from kubectl_scratch.why.causes.processes import find_processes
from kubectl_scratch.why.causes.programs import find_programs
from kubectl_scratch.why.causes.read_only import find_read_only
from kubectl_scratch.why.causes.sockets import find_sockets
from kubectl_scratch.why.causes.space import find_space
from kubectl_scratch.why.causes.tracing import find_tracing
from kubectl_scratch.why.causes.variables import find_variables
from kubectl_scratch.why.model import Cause
from kubectl_scratch.why.rank import Evidence

Finder = Callable[[Evidence], Iterator[Cause]]
# Of causes of one weight, the one that is found first comes first.
RUN_FINDERS: tuple[Finder, ...] = (
    find_memory,
    find_libraries,
    find_programs,
    find_modules,
    find_variables,
    find_arguments,
    find_certificates,
    find_host_names,
    find_connections,
    find_sockets,
    find_ports,
    find_read_only,
    find_permissions,
    find_missing_files,
    find_configs,
    find_space,
    find_processes,
    find_privileges,
    find_locks,
    find_hangs,
    find_crashes,
    find_kills,
    find_ends,
    find_tracing,
)

"""What an error number says, in the words of strerror: those of Linux, wherever this runs."""

from __future__ import annotations

MEANINGS = {
    "E2BIG": "Argument list too long",
    "EACCES": "Permission denied",
    "EADDRINUSE": "Address already in use",
    "EADDRNOTAVAIL": "Cannot assign requested address",
    "EAFNOSUPPORT": "Address family not supported by protocol",
    "EAGAIN": "Resource temporarily unavailable",
    "EBUSY": "Device or resource busy",
    "ECONNABORTED": "Software caused connection abort",
    "ECONNREFUSED": "Connection refused",
    "ECONNRESET": "Connection reset by peer",
    "EDQUOT": "Disk quota exceeded",
    "EEXIST": "File exists",
    "EFBIG": "File too large",
    "EHOSTUNREACH": "No route to host",
    "EINVAL": "Invalid argument",
    "EIO": "Input/output error",
    "EISDIR": "Is a directory",
    "ELIBBAD": "Accessing a corrupted shared library",
    "ELOOP": "Too many levels of symbolic links",
    "EMFILE": "Too many open files",
    "ENAMETOOLONG": "File name too long",
    "ENETUNREACH": "Network is unreachable",
    "ENFILE": "Too many open files in system",
    "ENODEV": "No such device",
    "ENOENT": "No such file or directory",
    "ENOEXEC": "Exec format error",
    "ENOLCK": "No locks available",
    "ENOMEM": "Cannot allocate memory",
    "ENOSPC": "No space left on device",
    "ENOSYS": "Function not implemented",
    "ENOTDIR": "Not a directory",
    "ENOTEMPTY": "Directory not empty",
    "ENOTSUP": "Operation not supported",
    "ENXIO": "No such device or address",
    "EPERM": "Operation not permitted",
    "EPIPE": "Broken pipe",
    "EPROTONOSUPPORT": "Protocol not supported",
    "EROFS": "Read-only file system",
    "ESTALE": "Stale file handle",
    "ETIMEDOUT": "Connection timed out",
    "ETXTBSY": "Text file busy",
    "EXDEV": "Invalid cross-device link",
}


def meaning(error: str) -> str:
    """Return what an error says; its own name if that is all that is known."""
    return MEANINGS.get(error, error) if error else "no answer"

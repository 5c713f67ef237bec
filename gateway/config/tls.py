"""The certificate and the key of an interface: which files, what is wrong with them, and the TLS made of them.

That the files can be used is a check of its own, for the commands that start or judge a gateway: a command that wants
to reach one that runs must not fail because its certificate ended yesterday.
"""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gateway.config.settings import ListenAddress, Settings, TlsFiles, UnixAddress
from gateway.config.shapes import Wrong, text
from gateway.config.table import Findings, Table

_CERT: Final = "tls_cert_file"
_KEY: Final = "tls_key_file"
# X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL's x509_vfy.h.
_EXPIRED: Final = 10


class CertificateProblem(Exception):
    """Why the files cannot be used; `key` is the path of the configuration key at fault."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}")
        self.key = key
        self.message = message


def read_tls(table: Table, folder: Path) -> TlsFiles | None:
    """`tls_cert_file` and `tls_key_file`: both or neither."""
    cert, key = (table.take(name, text, None) for name in ("tls_cert_file", "tls_key_file"))
    if cert and key:
        return TlsFiles(folder / cert, folder / key, table.path)
    for name, here, other in (("tls_cert_file", cert, key), ("tls_key_file", key, cert)):
        if other and not here and name not in table:
            table.problem(name, "is missing: a certificate and its key are both needed")
    return None


def check_tls(settings: Settings, findings: Findings) -> None:
    """Note what is wrong with the files of `[api]` and `[links]`."""
    for files, listen in ((settings.api.tls, settings.api.listen), (settings.links.tls, settings.links.listen)):
        if files is not None:
            _check_files(files, listen, findings)


def _check_files(files: TlsFiles, listen: Sequence[ListenAddress | UnixAddress], findings: Findings) -> None:
    try:
        context_of(files)
    except CertificateProblem as problem:
        findings.problem(problem.key, problem.message)
    else:
        if not any(isinstance(each, ListenAddress) for each in listen):
            findings.warning(f"{files.table}.{_CERT}", "has no effect: every listen address is a unix socket")


def context_of(files: TlsFiles) -> ssl.SSLContext:
    """A server's TLS with this certificate, version 1.2 or later. Raises `CertificateProblem`."""
    try:
        return _made_of(files)
    except CertificateProblem as problem:
        raise CertificateProblem(f"{files.table}.{problem.key}", problem.message) from None


def _made_of(files: TlsFiles) -> ssl.SSLContext:
    _check_readable(files.cert, _CERT)
    _check_secret(files.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Nobody is asked for a passphrase at a start that nobody watches.
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    try:
        context.load_cert_chain(files.cert, files.key, password=_no_passphrase)
    except ssl.SSLError as error:
        raise _unusable(files, error) from None
    except Wrong as wrong:
        raise CertificateProblem(_KEY, str(wrong)) from None
    _check_dates(context, files)
    return context


def _check_readable(file: Path, key: str) -> os.stat_result:
    try:
        if file.exists() and not file.is_file():
            raise CertificateProblem(key, "names something that is no file")
        with file.open("rb") as opened:
            return os.fstat(opened.fileno())
    except FileNotFoundError:
        raise CertificateProblem(key, "names a file that does not exist") from None
    except OSError as error:
        reason = (error.strerror or "error").lower()
        raise CertificateProblem(key, f"names a file that cannot be read: {reason}") from None


def _check_secret(file: Path) -> None:
    """A group may read it, as systems do that share keys with the daemons of a group; all others may not."""
    if _check_readable(file, _KEY).st_mode & stat.S_IRWXO:
        raise CertificateProblem(_KEY, "names a file that can be read by others: chmod 640 it")


def _no_passphrase() -> str:
    raise Wrong("names a key with a passphrase: write the key without one into a file that others cannot read")


def _unusable(files: TlsFiles, error: ssl.SSLError) -> CertificateProblem:
    """Which of the files is at fault: OpenSSL tells a mismatch by its name, and of unreadable text nothing."""
    if error.reason in {"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"}:
        return CertificateProblem(_KEY, "is not the key of the certificate in tls_cert_file")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(files.cert)
    except OSError:
        return CertificateProblem(_CERT, "names a file that does not hold a certificate in PEM")
    if error.reason and "TOO_SMALL" in error.reason:
        return CertificateProblem(_CERT, "has a key that is too short to be safe")
    return CertificateProblem(_KEY, "names a file that does not hold a private key in PEM")


def _check_dates(context: ssl.SSLContext, files: TlsFiles) -> None:
    """Ask OpenSSL itself whether the certificate is in force, by a handshake in memory that trusts it alone.

    A certificate of tomorrow is let through: a machine without a battery clock starts in the past.
    """
    try:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        trusting.load_verify_locations(files.cert)
        _shake_hands(context, trusting)
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == _EXPIRED:
            raise CertificateProblem(_CERT, "names a certificate that has expired") from None
    except OSError:
        raise CertificateProblem(_CERT, "names a certificate with which no TLS connection can be made") from None


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [client.wrap_bio(to_client, to_server), server.wrap_bio(to_server, to_client, server_side=True)]
    # Each turn moves every message that is on its way; TLS needs four.
    for _ in range(8):
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                continue

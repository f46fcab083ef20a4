"""Certificates for a service of ours: an authority that lives as long as its folder, and what it signs."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_DAYS = "2"


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate and its key, both PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates with the system's openssl."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self.signed = self._make(name, "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE")

    @property
    def file(self) -> Path:
        """What whoever trusts us is given."""
        return self.signed.certificate

    def sign(self, name: str, *hosts: str) -> Signed:
        """A certificate of *name*, as a server good for *hosts* (`DNS:…`, `IP:…`)."""
        names = ["-addext", f"subjectAltName={','.join(hosts)}"] if hosts else []
        by = ["-CA", str(self.signed.certificate), "-CAkey", str(self.signed.key)]
        return self._make(name, "-subj", f"/CN={name}", "-addext", "basicConstraints=CA:FALSE", *names, *by)

    def _make(self, name: str, *further: str) -> Signed:
        made = Signed(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ]
        files = ["-keyout", str(made.key), "-out", str(made.certificate), "-days", _DAYS]
        subprocess.run([*command, *files, *further], check=True, capture_output=True)
        return made

"""SSH host keys of the lab's devices, and the known_hosts file by which a client recognises them (OpenSSH formats)."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_ssh_private_key

from lab.files import locked, write_atomically


def host_key(folder: Path) -> Path:
    """Return the device's private host key (Ed25519) in its folder, made at the first call."""
    path = folder / "ssh_host_ed25519_key"
    with locked(path):
        if not path.exists():
            key = Ed25519PrivateKey.generate()
            write_atomically(path, key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(), mode=0o600)
    return path


def public_key(private: Path) -> str:
    """Return the public half of a private host key as OpenSSH writes it: `ssh-ed25519 AAAA...`."""
    key = load_ssh_private_key(private.read_bytes(), password=None)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def make_known(lab: Path, host: str, port: int, key: str) -> None:
    """Write to `<lab>/known_hosts` that `key` (as `public_key` gives it) answers at `host`:`port`.

    A line of the same address or the same key is replaced: a device that had to take another port is not left there twice.
    """
    path = lab / "known_hosts"
    address = f"[{host}]:{port} "
    with locked(path):
        lines = path.read_text().splitlines() if path.exists() else []
        kept = [line for line in lines if not line.startswith(address) and not line.endswith(key)]
        write_atomically(path, "\n".join([*kept, f"{address}{key}", ""]), mode=0o644)

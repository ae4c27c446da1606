"""A farm behind a password and TLS, that tells all it can: its logs are at the level debug, and it sends traces."""

from __future__ import annotations

import ssl
from contextlib import ExitStack

import trustme

from dreamfarm.stack import Servers, Stack
from farm.services import Services
from tests.chaos.proxy import Proxy
from tests.infra.collector import Collector

PASSWORD = "opensesame-0123456789"


class ClosedServers(Servers):
    """Servers of which Redis asks for a password."""

    def _redis(self):
        child = super()._redis()
        child.command += ["--requirepass", PASSWORD]
        return child

    def environment(self):
        told = super().environment()
        return told | {"DREAMFARM_REDIS_URL": told["DREAMFARM_REDIS_URL"].replace("//", f"//:{PASSWORD}@")}


class ClosedStack(Stack):
    """Api and workers reach both servers by TLS, with certificates of an authority of the farm's own."""

    servers_kind = ClosedServers

    def __init__(self, folder, *, workers=1, extra=()):
        super().__init__(folder, workers=workers, keys=True)
        self.data_dir.mkdir(parents=True)
        self.ca_file = self.data_dir / "ca.pem"
        self.extra = dict(extra)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca_file)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._tls)
        self._open = ExitStack()

    def _start(self):
        ports = self.servers.ports
        self.redis_link = self._open.enter_context(Proxy(ports["redis"], tls=self._tls))
        self.s3_link = self._open.enter_context(Proxy(ports["s3"], tls=self._tls))
        self.collector = self._open.enter_context(Collector())
        super()._start()

    def stop(self):
        super().stop()
        self._open.close()

    def environment(self):
        straight = super().environment()
        return {
            **straight,
            "DREAMFARM_REDIS_URL": f"rediss://:{PASSWORD}@localhost:{self.redis_link.port}/0?ssl_ca_certs={self.ca_file}",
            "DREAMFARM_S3_ENDPOINT_URL": f"https://localhost:{self.s3_link.port}",
            "DREAMFARM_S3_CA_FILE": str(self.ca_file),
            "DREAMFARM_S3_PUBLIC_ENDPOINT_URL": straight["DREAMFARM_S3_ENDPOINT_URL"],
            "DREAMFARM_TRACES_URL": self.collector.address,
            "DREAMFARM_LOG_LEVEL": "debug",
            "DREAMFARM_ALLOWED_NETWORKS": '["127.0.0.0/8"]',
            **self.extra,
        }

    def services(self):
        """Return the farm's services by straight links."""
        return Services.connect(self.servers.settings())

    def logs(self):
        """Return what each process has said, by its name."""
        return {file.name: file.read_text() for file in sorted((self.data_dir / "logs").iterdir())}

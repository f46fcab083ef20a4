"""Kafka as local processes: one broker, or a cluster of them; KRaft, no ZooKeeper."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.local.configuration import HERE, KAFKA_HEAP, kafka_settings
from deploy.local.kafka_distribution import Say, jars, java
from deploy.local.processes import LOOPBACK, LocalProcess, accepts_connections, free_port
from deploy.local.services import Kafka
from deploy.local.workspace import Program, Workspace

CLUSTER_ID = "vigil-local-cluster-01"  # any 22 characters of base64 are an id


@dataclass(frozen=True, slots=True)
class Installation:
    """A Java and the jars it is to run."""

    java: str
    jars: Path

    @classmethod
    def find(cls, say: Say) -> "Installation":
        return cls(java(), jars(say))

    def command(self, main: str, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
        return [self.java, KAFKA_HEAP, logging, "-cp", f"{self.jars}/*", main, *arguments]


class LocalKafka(LocalProcess, Kafka):
    """One broker, which is a controller as well; member *node* of the cluster of *voters*."""

    def __init__(
        self,
        workspace: Workspace,
        installation: Installation,
        *,
        node: int = 1,
        voters: Mapping[int, int] | None = None,
    ) -> None:
        super().__init__(workspace, workspace.folder / f"kafka-{node}")
        self.name = f"Kafka broker {node}"
        self.node = node
        self._installation = installation
        self._voters = voters or {node: free_port()}

    @property
    def bootstrap_servers(self) -> str:
        return self.address

    def prepare(self) -> None:
        self.folder.mkdir()
        self._configuration.write_text("".join(f"{key}={value}\n" for key, value in self.settings().items()))
        arguments = ("format", "--cluster-id", CLUSTER_ID, "--config", str(self._configuration))
        self.run_to_end(self._java("kafka.tools.StorageTool", *arguments))

    def program(self) -> Program:
        return self._java("kafka.Kafka", str(self._configuration))

    def answers(self) -> bool:
        # A refused connection is told at once; the client would wait two seconds to say it.
        return accepts_connections(self.port) and super().answers()

    def settings(self) -> dict[str, str]:
        voters = ",".join(f"{node}@{LOOPBACK}:{port}" for node, port in self._voters.items())
        here = {
            "process.roles": "broker,controller",
            "node.id": str(self.node),
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self.address},CONTROLLER://{LOOPBACK}:{self._voters[self.node]}",
            "advertised.listeners": f"PLAINTEXT://{self.address}",
            "log.dirs": str(self.folder / "data"),
        }
        return {**here, **kafka_settings(len(self._voters))}

    @property
    def _configuration(self) -> Path:
        return self.folder / "server.properties"

    def _java(self, main: str, *arguments: str) -> Program:
        command = self._installation.command(main, *arguments)
        return Program(arguments=command, log=self.log_path, folder=self.folder)


class KafkaCluster(Kafka):
    """Several brokers as one service; each of `brokers` can be stopped, killed, paused by itself."""

    def __init__(self, brokers: Sequence[LocalKafka]) -> None:
        self.name = f"Kafka cluster of {len(brokers)}"
        self.brokers = brokers
        self.brokers_expected = len(brokers)

    @classmethod
    def of(cls, brokers: int, workspace: Workspace, installation: Installation) -> "KafkaCluster":
        voters = {node: free_port() for node in range(1, brokers + 1)}
        return cls([LocalKafka(workspace, installation, node=node, voters=voters) for node in voters])

    @property
    def bootstrap_servers(self) -> str:
        return ",".join(broker.bootstrap_servers for broker in self.brokers)

    @property
    def is_running(self) -> bool:
        return all(broker.is_running for broker in self.brokers)

    def start(self) -> None:
        self._each(LocalKafka.launch)  # at once: none answers before the others are there
        self.wait_ready()

    def stop(self) -> None:
        self._each(LocalKafka.stop)

    def kill(self) -> None:
        self._each(LocalKafka.kill)

    def pause(self) -> None:
        self._each(LocalKafka.pause)

    def resume(self) -> None:
        self._each(LocalKafka.resume)

    def last_words(self) -> str:
        return "".join(broker.last_words() for broker in self.brokers)

    def _each(self, action: Callable[[LocalKafka], None]) -> None:
        with ThreadPoolExecutor(len(self.brokers)) as pool:
            list(pool.map(action, self.brokers))

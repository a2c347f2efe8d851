#!/usr/bin/env python3
"""The files of deploy/ against each other and against the defaults in config/pgweir.toml.

So that a changed default, port or version cannot leave a manifest behind.
"""

import configparser
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
REFERENCE = (ROOT / "config/pgweir.toml").read_text()
VERSION = re.search(r"project\(pgweir VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]


def default(key):
    return re.search(rf"^#{key} = (.*)$", REFERENCE, re.M)[1]


SHUTDOWN_TIMEOUT = int(default("shutdown_timeout").strip('"').removesuffix("s"))
MAX_CLIENT_CONN = int(default("max_client_conn"))
CLIENT_PORT = int(default("listen").strip('[]"').rpartition(":")[2])
HTTP_PORT = int(default("http").strip('"').rpartition(":")[2])


def packages(purpose):
    lines = (DEPLOY / "packages.txt").read_text().splitlines()
    return {word for line in lines if line.startswith(f"{purpose}:") for word in line.split()[1:]}


def manifests(name):
    documents = list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text()))
    return {document["kind"]: document for document in documents}


def environment(container):
    return {entry["name"]: entry.get("value") for entry in container["env"]}


class Kubernetes:
    """What both ways of deploying promise."""

    file = ""

    def setUp(self):
        self.manifests = manifests(self.file)
        self.pod = self.manifests["Deployment"]["spec"]["template"]
        self.spec = self.pod["spec"]
        everything = self.spec.get("initContainers", []) + self.spec["containers"]
        self.pgweir = next(c for c in everything if c["name"] == "pgweir")
        self.environment = environment(self.pgweir)

    def test_the_image_has_the_version_of_the_project(self):
        self.assertEqual(self.pgweir["image"].rpartition(":")[2], VERSION)

    def test_the_database_url_comes_from_a_secret(self):
        url = next(entry for entry in self.pgweir["env"] if entry["name"] == "DATABASE_URL")
        self.assertIn("secretKeyRef", url["valueFrom"])
        self.assertNotIn("value", url)

    def test_every_variable_is_a_setting(self):
        sections = "log|pool|auth|client_tls|server_tls"
        for name in self.environment:
            if not name.startswith("PGWEIR_"):
                continue
            key = re.sub(rf"^({sections})_", "", name.removeprefix("PGWEIR_").lower())
            self.assertRegex(REFERENCE, rf"(?m)^#?{key} = ", name)

    def test_probes_ask_the_health_port(self):
        port = next(p for p in self.pgweir["ports"] if p["name"].endswith("http"))
        self.assertEqual(port["containerPort"], HTTP_PORT)
        self.assertTrue(self.environment["PGWEIR_HTTP"].endswith(f":{HTTP_PORT}"))
        paths = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
        for probe, path in paths.items():
            self.assertEqual(self.pgweir[probe]["httpGet"], {"path": path, "port": port["name"]})

    def test_transactions_may_finish_before_the_kill(self):
        pause = int(self.pgweir.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [0, 0])[1])
        self.assertGreater(self.spec["terminationGracePeriodSeconds"], SHUTDOWN_TIMEOUT + pause)

    def test_it_runs_without_privileges(self):
        context = self.spec.get("securityContext", {}) | self.pgweir["securityContext"]
        self.assertTrue(context["runAsNonRoot"])
        self.assertTrue(context["readOnlyRootFilesystem"])
        self.assertFalse(context["allowPrivilegeEscalation"])
        self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
        self.assertEqual(context["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertEqual(f"{context['runAsUser']}:{context['runAsGroup']}",
                         re.search(r"^USER (\S+)", (DEPLOY / "Dockerfile").read_text(), re.M)[1])

    def test_it_has_requests_and_limits(self):
        for part in ("requests", "limits"):
            self.assertEqual(set(self.pgweir["resources"][part]), {"cpu", "memory"})
        self.assertEqual(self.environment["PGWEIR_WORKER_THREADS"], self.pgweir["resources"]["limits"]["cpu"])

    def test_selectors_find_the_pods(self):
        labels = self.pod["metadata"]["labels"]
        self.assertEqual(self.manifests["Deployment"]["spec"]["selector"]["matchLabels"], labels)
        self.assertEqual(self.manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"], labels)


class DeploymentTest(Kubernetes, unittest.TestCase):
    file = "deployment.yaml"

    def test_the_service_leads_to_the_listener(self):
        service = self.manifests["Service"]["spec"]
        port = service["ports"][0]
        self.assertEqual(port["port"], CLIENT_PORT)
        containers = {p["name"]: p["containerPort"] for p in self.pgweir["ports"]}
        self.assertEqual(containers[port["targetPort"]], CLIENT_PORT)
        self.assertEqual(self.environment["PGWEIR_LISTEN"], f"0.0.0.0:{CLIENT_PORT}")
        self.assertEqual(service["selector"], self.pod["metadata"]["labels"])

    def test_prometheus_is_sent_to_the_metrics(self):
        self.assertEqual(self.pod["metadata"]["annotations"]["prometheus.io/port"], str(HTTP_PORT))


class SidecarTest(Kubernetes, unittest.TestCase):
    file = "sidecar.yaml"

    def test_it_is_a_native_sidecar(self):
        self.assertEqual(self.pgweir["restartPolicy"], "Always")
        self.assertIn("startupProbe", self.pgweir)

    def test_both_share_the_directory_of_the_socket_and_nobody_else(self):
        app = self.spec["containers"][0]
        self.assertEqual(app["volumeMounts"], self.pgweir["volumeMounts"])
        directory = self.pgweir["volumeMounts"][0]["mountPath"]
        self.assertEqual(self.environment["PGWEIR_LISTEN"], directory)
        self.assertIn(f"host={directory}&port={CLIENT_PORT}", environment(app)["DATABASE_URL"])
        self.assertIn("emptyDir", self.spec["volumes"][0])

    def test_trust_is_only_for_the_socket(self):
        self.assertEqual(self.environment["PGWEIR_AUTH_METHOD"], "trust")
        self.assertNotIn(":", self.environment["PGWEIR_LISTEN"])


class SystemdTest(unittest.TestCase):
    def setUp(self):
        parser = configparser.RawConfigParser(strict=False)
        parser.optionxform = str
        parser.read(DEPLOY / "pgweir.service")
        self.unit, self.service = parser["Unit"], parser["Service"]

    def test_transactions_may_finish_before_the_kill(self):
        self.assertGreater(int(self.service["TimeoutStopSec"].rstrip("s")), SHUTDOWN_TIMEOUT)

    def test_files_suffice_for_all_clients(self):
        self.assertGreater(int(self.service["LimitNOFILE"]), 2 * MAX_CLIENT_CONN)

    def test_it_tells_when_it_is_ready_and_reloads(self):
        self.assertEqual(self.service["Type"], "notify")
        self.assertEqual(self.service["ExecReload"], "/bin/kill -HUP $MAINPID")

    def test_it_is_started_again_however_often_it_crashes(self):
        self.assertEqual(self.service["Restart"], "on-failure")
        self.assertEqual(self.unit["StartLimitIntervalSec"], "0")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_systemd_understands_every_line(self):
        text = (DEPLOY / "pgweir.service").read_text()
        with tempfile.TemporaryDirectory() as directory:
            unit = Path(directory) / "pgweir.service"
            unit.write_text(text.replace("/usr/local/bin/pgweir", "/bin/true"))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
        found = [line for line in done.stderr.splitlines() if "pgweir" in line]  # not about other units
        self.assertEqual(found, [])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_systemd_finds_little_to_expose(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", DEPLOY / "pgweir.service"],
                              capture_output=True, text=True)
        found = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
        self.assertTrue(found, done.stdout + done.stderr)
        self.assertLess(float(found[1]), 2)


class PackagesTest(unittest.TestCase):
    def test_linking_with_optimisation_uses_all_cores(self):
        self.assertIn("make", packages("build"))  # g++ runs it


class DockerfileTest(unittest.TestCase):
    def setUp(self):
        self.text = (DEPLOY / "Dockerfile").read_text()

    def test_it_listens_on_the_usual_ports_and_names_the_version(self):
        self.assertIn(f"PGWEIR_LISTEN=0.0.0.0:{CLIENT_PORT} PGWEIR_HTTP=0.0.0.0:{HTTP_PORT}", self.text)
        self.assertIn(f"EXPOSE {CLIENT_PORT} {HTTP_PORT}", self.text)
        self.assertEqual(set(re.findall(r"pgweir:([\d.]+)", self.text)), {VERSION})

    def test_it_has_a_health_check_and_stops_gently(self):
        self.assertIn('CMD ["pgweir", "status"]', self.text)
        self.assertIn("STOPSIGNAL SIGTERM", self.text)

    @unittest.skipUnless((ROOT / "build/release/pgweir").exists() and shutil.which("ldd"), "no release build")
    def test_the_image_has_every_library_that_the_program_needs(self):
        program = ROOT / "build/release/pgweir"
        direct = re.findall(r"NEEDED +(\S+)", output_of("objdump", "-p", program))
        found = re.findall(r"^\s*(\S+) => (\S+)", output_of("ldd", program), re.M)
        paths = [Path(path).resolve() for name, path in found if name in direct]
        self.assertTrue(paths)
        # Some packages still own their files under the old name of a merged directory.
        names = [name for path in paths for name in (path, str(path).removeprefix("/usr"))]
        owners = output_of("dpkg-query", "-S", *names)
        needed = {line.partition(":")[0] for line in owners.splitlines()}
        self.assertEqual(needed - packages("runtime") - {"libc6", "libgcc-s1"}, set())


def output_of(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True).stdout


if __name__ == "__main__":
    unittest.main()

"""The files that are mounted into the containers, checked by the programs that read them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bioagents_alerts import boards as uids
from bioagents_dashboards.shipped import boards_folder
from support.checkout import ROOT, resolved
from support.programs import require

SERVICES = resolved()["services"]


def mounted(service: str, path: str) -> Path:
    """The path on this machine of a file in a container."""
    for mount in SERVICES[service]["volumes"]:
        target = Path(mount["target"])
        if Path(path) == target or target in Path(path).parents:
            return Path(mount["source"]) / Path(path).relative_to(target)
    raise AssertionError(f"{path} is not mounted into {service}")


def argument(service: str, name: str) -> str:
    """The value of ``--name=value``."""
    (value,) = [a.partition("=")[2] for a in SERVICES[service]["command"] if a.startswith(f"{name}=")]
    return str(value)


def load(path: Path) -> Any:  # noqa: ANN401 - YAML
    return yaml.safe_load(path.read_text())


def test_promtool_accepts_the_configuration(tmp_path: Path) -> None:
    """With our rules; the container's paths are replaced by those of this machine."""
    text = mounted("prometheus", argument("prometheus", "--config.file")).read_text()
    (rules,) = yaml.safe_load(text)["rule_files"]
    here = mounted("prometheus", str(Path(rules).parent)) / Path(rules).name
    config = tmp_path / "prometheus.yml"
    config.write_text(text.replace(rules, str(here)))
    result = subprocess.run(
        [require("promtool"), "check", "config", str(config)], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert f"{len(list(here.parent.glob('*.yml')))} rule files found" in result.stdout


def test_amtool_accepts_the_configuration() -> None:
    """``amtool check-config`` on the file that is mounted into the Alertmanager container."""
    path = mounted("alertmanager", argument("alertmanager", "--config.file"))
    command = [require("amtool"), "check-config", str(path)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_names_of_services_are_right() -> None:
    """Each address in a configuration is a service with the port on which it listens."""
    prometheus = load(mounted("prometheus", "/etc/prometheus/prometheus.yml"))
    targets = [
        t for job in prometheus["scrape_configs"] for group in job["static_configs"] for t in group["targets"]
    ]
    assert targets == ["exporter:9877", "127.0.0.1:9090", "alertmanager:9093"]
    ports = {f"{name}:{port['target']}" for name, s in SERVICES.items() for port in s.get("ports", [])}
    assert {"exporter:9877", "alertmanager:9093", "prometheus:9090"} <= ports
    (manager,) = prometheus["alerting"]["alertmanagers"]
    assert manager["static_configs"] == [{"targets": ["alertmanager:9093"]}]


def test_grafana_gets_our_boards_and_their_data_source() -> None:
    """The provider reads the folder with the boards; the source is the Prometheus of this file."""
    (provider,) = load(mounted("grafana", "/etc/grafana/provisioning/dashboards/bioagents.yml"))["providers"]
    folder = mounted("grafana", provider["options"]["path"])
    assert folder == boards_folder()
    served = {json.loads(path.read_text())["uid"] for path in folder.iterdir()}
    assert served == {uid for name, uid in vars(uids).items() if name.isupper()}
    (source,) = load(mounted("grafana", "/etc/grafana/provisioning/datasources/prometheus.yml"))[
        "datasources"
    ]
    assert source["type"] == "prometheus"
    assert source["isDefault"]
    assert source["url"] == "http://prometheus:9090"
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert json.loads(mounted("grafana", home).read_text())["uid"] == "bioagents-fleet"


def test_data_source_knows_the_scrape_interval() -> None:
    """Otherwise ``$__rate_interval`` would be shorter than two scrapes."""
    (source,) = load(mounted("grafana", "/etc/grafana/provisioning/datasources/prometheus.yml"))[
        "datasources"
    ]
    prometheus = load(mounted("prometheus", "/etc/prometheus/prometheus.yml"))
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]


@pytest.mark.parametrize("path", sorted((ROOT / "deploy").rglob("*.yml")), ids=str)
def test_yaml_is_mounted(path: Path) -> None:
    """Each configuration in deploy/ is mounted into a service."""
    sources = [
        Path(m["source"]) for s in SERVICES.values() for m in s.get("volumes", []) if m["type"] == "bind"
    ]
    assert any(path == source or source in path.parents for source in sources)

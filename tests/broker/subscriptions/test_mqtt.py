"""Notifications over MQTT (ETSI GS CIM 009 §5.8.6, §7.2): addresses, versions, quality of service, and passwords."""

import ipaddress
import json
import logging
import ssl
import time
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from litestar.testing import TestClient

from sanpo.broker.subscriptions import deliveries, sending
from sanpo.broker.subscriptions.following import follow
from sanpo.broker.subscriptions.sending import notify_all, sender_of
from sanpo.ground import mqtt
from sanpo.ground.city import City
from sanpo.ground.mqtt import AddressIsInvalid, read_address, without_password
from tests.broker.mqtt_server import MqttServer
from tests.broker.subscriptions.conftest import Receiver
from tests.broker.subscriptions.test_sending import OPERATOR, levels, pass_time, write

SECRET = "p%40ss:w0rd"


def subscribe(broker: TestClient[Any], uri: str, info: dict[str, str] | None = None, **endpoint: Any) -> str:
    notifier = [{"key": key, "value": value} for key, value in (info or {}).items()]
    body = {
        "type": "Subscription",
        "entities": [{"type": "Building"}],
        "notification": {
            "endpoint": {"uri": uri, **({"notifierInfo": notifier} if notifier else {}), "timeout": 2000, **endpoint}
        },
    }
    made = broker.post("/subscriptions", json=body)
    assert made.status_code == 201, made.text
    return str(made.headers["location"].rsplit("/", 1)[-1])


@pytest.mark.parametrize(
    ("user", "topic", "info", "expected"),
    [
        # part of the address, topic, notifierInfo; version, QoS, user and topic that the server saw
        ("", "city/levels", {}, (5, 0, None, "city/levels")),
        ("", "a", {"MQTT-Version": "mqtt3.1.1"}, (4, 0, None, "a")),
        ("", "a", {"MQTT-Version": "mqtt5.0", "MQTT-QoS": "1"}, (5, 1, None, "a")),
        ("user@", "a/b/c", {"MQTT-QoS": "2"}, (5, 2, "user", "a/b/c")),
        ("user:secret@", "a", {"MQTT-Version": "mqtt3.1.1", "MQTT-QoS": "1"}, (4, 1, "user", "a")),
        ("user:secret@", "a", {"MQTT-Version": "mqtt3.1.1", "MQTT-QoS": "2"}, (4, 2, "user", "a")),
        ("", "%E9%A7%85/a%20b", {}, (5, 0, None, "駅/a b")),
    ],
)
def test_notification_is_published_as_asked(
    broker: TestClient[Any], mqtt_server: MqttServer, open_city: City, user: str, topic: str, info: Any, expected: Any
) -> None:
    mqtt_server.password = "secret" if ":" in user else None
    told = [{"key": "test-receiver-key", "value": "test-receiver-info"}]
    subscription = subscribe(broker, f"mqtt://{user}127.0.0.1:{mqtt_server.port}/{topic}", info, receiverInfo=told)
    write(broker, 1, 7)
    notify_all(open_city)
    (got,) = mqtt_server.got
    assert (got.version, got.qos, got.username, got.topic) == expected
    message = json.loads(got.payload)
    assert message.keys() == {"metadata", "body"}
    assert message["metadata"]["Content-Type"] == "application/json"
    assert "ngsi-ld-core-context" in message["metadata"]["Link"]
    assert message["metadata"]["test-receiver-key"] == "test-receiver-info"
    assert (message["body"]["type"], message["body"]["subscriptionId"]) == ("Notification", subscription)
    assert message["body"]["data"][0]["level"]["value"] == 7
    shown = broker.get(f"/subscriptions/{subscription}").json()["notification"]
    assert (shown["status"], shown["timesSent"], "timesFailed" in shown) == ("ok", 1, False)
    assert deliveries.list_deliveries(open_city, OPERATOR) == []


def test_json_ld_has_its_context_in_the_body(broker: TestClient[Any], mqtt_server: MqttServer, open_city: City) -> None:
    subscribe(broker, f"mqtt://127.0.0.1:{mqtt_server.port}/t", accept="application/ld+json")
    write(broker, 1, 7)
    notify_all(open_city)
    message = json.loads(mqtt_server.got[0].payload)
    assert message["metadata"] == {"Content-Type": "application/ld+json"}
    assert "@context" in message["body"]


def test_password_is_shown_nowhere_and_kept_over_an_update(
    broker: TestClient[Any],
    mqtt_server: MqttServer,
    open_city: City,
    command: Any,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    mqtt_server.password = "another"
    with caplog.at_level(logging.DEBUG):
        subscription = subscribe(broker, f"mqtt://user:{SECRET}@127.0.0.1:{mqtt_server.port}/t", {"MQTT-QoS": "1"})
        write(broker, 1, 7)
        notify_all(open_city)
        (failing,) = deliveries.list_deliveries(open_city, OPERATOR)
        one = broker.get(f"/subscriptions/{subscription}")
        shown = one.json()["notification"]["endpoint"]
        texts = [one.text, broker.get("/subscriptions").text, str(failing), command(open_city, "deliveries").output]
        texts += [broker.get(f"/subscriptions/{subscription}/deliveries").text]
        same = broker.patch(f"/subscriptions/{subscription}", json={"notification": {"endpoint": shown}})
        assert same.status_code == 204
    assert failing.error is not None
    assert failing.error.startswith("refused: ")
    assert shown["uri"] == f"mqtt://user@127.0.0.1:{mqtt_server.port}/t"
    for text in (*texts, caplog.text, *capfd.readouterr()):
        assert "w0rd" not in text
    mqtt_server.password = "p@ss:w0rd"
    notify_all(open_city)
    assert [each.username for each in mqtt_server.got] == ["user"]


@pytest.mark.parametrize(
    "endpoint",
    [
        {"uri": "mqtt://host"},
        {"uri": "mqtt://host/"},
        {"uri": "mqtt:///topic"},
        {"uri": "mqtt://host:port/topic"},
        {"uri": "mqtt://host:70000/topic"},
        {"uri": "mqtt://host/a/%23"},
        {"uri": "mqtt://host/a?b=c"},
        {"uri": "amqp://host/topic"},
        {"uri": "mqtt://host/t", "notifierInfo": [{"key": "MQTT-QoS", "value": "3"}]},
        {"uri": "mqtt://host/t", "notifierInfo": [{"key": "MQTT-Version", "value": "mqtt3"}]},
    ],
)
def test_what_mqtt_does_not_have_is_refused(broker: TestClient[Any], endpoint: dict[str, Any]) -> None:
    body = {"type": "Subscription", "entities": [{"type": "T"}], "notification": {"endpoint": endpoint}}
    reply = broker.post("/subscriptions", json=body)
    assert (reply.status_code, reply.json()["type"].rsplit("/", 1)[-1]) == (400, "BadRequestData")


def test_message_without_acknowledgement_is_sent_again_under_its_id(
    broker: TestClient[Any], mqtt_server: MqttServer, open_city: City
) -> None:
    mqtt_server.acknowledges = False
    subscribe(broker, f"mqtt://127.0.0.1:{mqtt_server.port}/t", {"MQTT-QoS": "1"}, timeout=200)
    write(broker, 1, 7)
    notify_all(open_city)
    (failing,) = deliveries.list_deliveries(open_city, OPERATOR)
    assert (failing.state, failing.error) == ("failing", "it took too long")
    mqtt_server.acknowledges = True
    pass_time(open_city, 10)
    notify_all(open_city)
    assert len({json.loads(each.payload)["body"]["id"] for each in mqtt_server.got}) == 1
    assert len(mqtt_server.got) == 2
    assert deliveries.list_deliveries(open_city, OPERATOR) == []


def test_refused_message_has_not_arrived(broker: TestClient[Any], mqtt_server: MqttServer, open_city: City) -> None:
    mqtt_server.refusal = 0x97
    subscribe(broker, f"mqtt://127.0.0.1:{mqtt_server.port}/t", {"MQTT-QoS": "1"})
    write(broker, 1, 7)
    notify_all(open_city)
    (failing,) = deliveries.list_deliveries(open_city, OPERATOR)
    assert failing.error == "not taken: Quota exceeded"


def test_dead_mqtt_server_delays_no_other(
    broker: TestClient[Any], mqtt_server: MqttServer, receiver: Receiver, open_city: City
) -> None:
    mqtt_server.is_silent = True
    for topic in range(6):
        subscribe(broker, f"mqtt://127.0.0.1:{mqtt_server.port}/{topic}")
    living = MqttServer().start()
    subscribe(broker, f"mqtt://127.0.0.1:{living.port}/t")
    body = {"endpoint": {"uri": receiver.url}}
    broker.post(
        "/subscriptions", json={"type": "Subscription", "entities": [{"type": "Building"}], "notification": body}
    )
    write(broker, 1, 7)
    follow(open_city)
    began = time.monotonic()
    working = sender_of(open_city).start(open_city)
    while len(living.got) + len(receiver.got) < 2:
        assert time.monotonic() - began < 1.9
        time.sleep(0.01)
    wait(working)
    living.stop()
    assert levels(receiver, 1) == [7]
    assert mqtt_server.got == []


def test_private_server_is_not_called_unless_allowed(
    broker: TestClient[Any], mqtt_server: MqttServer, open_city: City
) -> None:
    subscribe(broker, f"mqtts://127.0.0.2:{mqtt_server.port}/t")
    subscribe(broker, f"mqtt://127.0.0.3:{mqtt_server.port}/t")
    write(broker, 1, 1)
    notify_all(open_city)
    errors = [each.error for each in deliveries.list_deliveries(open_city, OPERATOR)]
    assert errors == ["the address is private", "only mqtts addresses are called"]
    assert mqtt_server.connects == 0


def test_secure_server_is_believed_only_with_a_certificate(
    broker: TestClient[Any], open_city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_side, client_side = contexts(tmp_path)
    server = MqttServer(tls=server_side).start()
    try:
        subscribe(broker, f"mqtts://127.0.0.1:{server.port}/t", {"MQTT-QoS": "1"})
        write(broker, 1, 1)
        notify_all(open_city)
        (failing,) = deliveries.list_deliveries(open_city, OPERATOR)
        assert failing.error == "the connection is not secure"
        monkeypatch.setattr(mqtt, "certificates", lambda: client_side)
        pass_time(open_city, sending.MOST_WAIT_S)
        notify_all(open_city)
        assert [each.topic for each in server.got] == ["t"]
    finally:
        server.stop()


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For a server with a certificate of its own, and for a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = made.public_bytes(serialization.Encoding.PEM)
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "server.pem").write_bytes(private + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("mqtt://host/t", "mqtt://host/t"),
        ("mqtt://user@host/t", "mqtt://user@host/t"),
        ("mqtt://user:pass@host:1/t", "mqtt://user@host:1/t"),
        ("mqtts://:pass@[::1]:1/t", "mqtts://@[::1]:1/t"),
    ],
)
def test_address_is_shown_without_its_password(uri: str, shown: str) -> None:
    assert without_password(uri) == shown
    assert "pass" not in repr(read_address(uri))


@pytest.mark.parametrize("uri", ["http://host/t", "mqtt://", "mqtt://host:x/t", "mqtt://host/+", "mqtt://[/t"])
def test_address_of_another_kind_is_no_mqtt_address(uri: str) -> None:
    with pytest.raises(AddressIsInvalid):
        read_address(uri)

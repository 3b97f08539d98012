"""The access control files that ship: each account may do exactly what the contract grants it.

Mosquitto and nats-server (where it is installed) are real; the file of EMQX is read by `emqx_rules`.

Rule: mqtt.md#access-rights.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from paho.mqtt.client import topic_matches_sub
from paho.mqtt.enums import MQTTProtocolVersion

from agent.contract.topics import Topics
from harness.servers import find_program
from tests.deploy.account_client import AccountClient
from tests.deploy.brokers import ACL, OTHER_SITE, PASSWORDS, SITE, mosquitto, nats
from tests.deploy.emqx_rules import Action, allowed, rules_of

NOT_AUTHORIZED = 0x87

UP = (
    "event/operator", "event/order", "event/scan", "event/box", "event/journal", "status", "health",
    "station/1", "station/left_2", "response/t%2D1",
)  # fmt: skip
ACK = ("ack",)
ASKED = ("request/identify", "request/resend", "verdict/v-17")
UNKNOWN = ("command/x", "events/scan", "status/1", "health/1", "ack/1")
CENTRAL = (
    "order/SO-1001", "order/SO%2F2026%2F0017",
    "reference/orders", "reference/operators", "reference/boxes", "reference/blocked/1",
)  # fmt: skip
COUNTED = ("counted/SO-1001/1", "counted/SO%2F2026%2F0017/2")


def of_kiosk(kiosk: str, *names: str, site: str = SITE) -> frozenset[str]:
    return frozenset(f"kiosk/v1/{site}/agent/{kiosk}/{name}" for name in names)


def of_site(*names: str, site: str = SITE) -> frozenset[str]:
    return frozenset(f"kiosk/v1/{site}/{name}" for name in names)


ANY_UP = of_kiosk("dock-3", *UP) | of_kiosk("dock-4", *UP)
ANY_ACK = of_kiosk("dock-3", *ACK) | of_kiosk("dock-4", *ACK) | of_kiosk("dock-33", *ACK)
ANY_ASKED = of_kiosk("dock-3", *ASKED) | of_kiosk("dock-4", *ASKED)
ODD = of_kiosk("dock-3", *UNKNOWN)
EVERY_TOPIC = (
    (ANY_UP | ANY_ACK | ANY_ASKED | ODD | of_site(*CENTRAL, *COUNTED))
    | of_kiosk("dock-33", *UP)
    | of_kiosk("dock-3", *UP, *ACK, *ASKED, site=OTHER_SITE)
    | of_site(*CENTRAL, *COUNTED, site=OTHER_SITE)
    | {f"kiosk/v1/{SITE}", f"kiosk/v1/{SITE}/orders/SO-1001", f"kiosk/v2/{SITE}/agent/dock-3/status", "kiosk/end/x"}
)

WRITES: Mapping[str, frozenset[str]] = {
    "dock-3": of_kiosk("dock-3", *UP),
    "oms": of_site(*CENTRAL) | ANY_ASKED,
    "consumer": ANY_ACK | ANY_ASKED,
    "centre": of_site(*CENTRAL, *COUNTED) | ANY_ACK | ANY_ASKED,
}
THE_SITE = ANY_UP | ANY_ACK | ANY_ASKED | ODD | of_kiosk("dock-33", *UP) | of_site(*CENTRAL, *COUNTED)
READS: Mapping[str, frozenset[str]] = {
    "dock-3": of_kiosk("dock-3", *ACK, *ASKED) | of_site(*CENTRAL, *COUNTED),
    "oms": THE_SITE,
    "consumer": THE_SITE,
    "centre": THE_SITE,
}
TOO_WIDE = (
    "#", "+/#", "kiosk/#", f"kiosk/v1/{SITE}/#", f"kiosk/v1/{SITE}/agent/#", f"kiosk/v1/{SITE}/agent/dock-3/#",
    f"kiosk/v1/{SITE}/agent/dock-4/#", f"kiosk/v1/{SITE}/agent/+/ack", f"kiosk/v1/{SITE}/agent/+/event/#",
    "kiosk/v1/+/order/+", "kiosk/v1/+/reference/#", "kiosk/v1/+/counted/#",
    f"$share/thief/kiosk/v1/{SITE}/agent/+/event/#",
    "$SYS/#", "$MQTT/#", "$MQTT/sub/#", "$JS/#",
)  # fmt: skip
"""Filters that cover more than a kiosk may read."""

END = "kiosk/end"
"""The topic of the message that the witness sends itself last: when it has come, nothing more can come."""

CLIENT_IDS = {"dock-3": Topics(SITE, "dock-3").client_id}
_numbers = itertools.count(1)


def new_payload() -> bytes:
    """Return a payload that is new, so that it differs from what an earlier test has retained."""
    return f"message {next(_numbers)}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A broker with the rules, and how it refuses.

    An MQTT 3.1.1 PUBACK cannot refuse. Mosquitto's rules for reading hold when a message is delivered, not when it is
    subscribed to; and it may close the connection upon a forbidden publish (2.0.11 does, after its PUBACK).
    """

    port: int
    protocol: MQTTProtocolVersion
    refuses_subscriptions: bool
    may_close: bool

    def enter(self, account: str, *, will: tuple[str, bytes] | None = None) -> AccountClient:
        client_id = CLIENT_IDS.get(account, f"{account}-{next(_numbers)}")
        login = (account, PASSWORDS[account])
        return AccountClient(self.port, client_id=client_id, protocol=self.protocol, login=login, will=will)


@pytest.fixture(scope="module")
def mosquitto_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with mosquitto(tmp_path_factory.mktemp("mosquitto")) as port:
        yield port


@pytest.fixture(scope="module")
def nats_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    try:
        find_program("nats-server")
    except FileNotFoundError as exc:
        pytest.skip(f"{exc}, so its rules are not tried here")
    with nats(tmp_path_factory.mktemp("nats")) as port:
        yield port


@pytest.fixture(params=["mosquitto-5", "mosquitto-311", "nats-311"])
def server(request: pytest.FixtureRequest) -> Server:
    broker, _, version = request.param.partition("-")
    protocol = MQTTProtocolVersion.MQTTv5 if version == "5" else MQTTProtocolVersion.MQTTv311
    port = request.getfixturevalue(f"{broker}_port")
    is_nats = broker == "nats"
    return Server(port=port, protocol=protocol, refuses_subscriptions=is_nats, may_close=not is_nats)


# -- real brokers ------------------------------------------------------------------------------------------------------


def try_all(server: Server, account: str, payload: bytes) -> dict[str, int | None]:
    """Publish on every topic, retained, one after the other; return the answers."""
    answers: dict[str, int | None] = {}
    topics = sorted(EVERY_TOPIC)
    while len(answers) < len(topics):
        with server.enter(account) as writer:
            for topic in topics[len(answers) :]:
                answers[topic] = writer.try_publish(topic, payload, retain=True)
                if server.may_close and topic not in WRITES[account]:
                    break
    return answers


@pytest.mark.parametrize("account", WRITES)
def test_account_writes_exactly_its_topics(server: Server, account: str) -> None:
    payload, end = new_payload(), new_payload()
    with server.enter("witness") as witness:
        assert not witness.subscribe(["kiosk/#"])
        answers = try_all(server, account, payload)
        witness.publish([END], end)
        witness.wait_for(lambda: witness.topics_of(end) == {END}, "the last message")
        assert witness.topics_of(payload) == WRITES[account]
    if server.protocol is MQTTProtocolVersion.MQTTv5:
        assert {topic for topic, code in answers.items() if code == NOT_AUTHORIZED} == EVERY_TOPIC - WRITES[account]
    with server.enter("witness") as late:
        assert not late.subscribe(["kiosk/#"])
        late.publish([END], end)
        late.wait_for(lambda: late.topics_of(end) == {END}, "the last message")
        late.wait_for(lambda: late.topics_of(payload) >= WRITES[account], "what was retained")
        assert late.topics_of(payload) == WRITES[account]


@pytest.mark.parametrize("account", READS)
def test_account_reads_exactly_its_topics(server: Server, account: str) -> None:
    payload, end = new_payload(), new_payload()
    last = min(READS[account])
    with server.enter("witness") as witness, server.enter(account) as reader:
        refused = reader.subscribe(EVERY_TOPIC)
        witness.publish(EVERY_TOPIC, payload)
        witness.publish([last], end)
        reader.wait_for(lambda: reader.topics_of(end) == {last}, "the last message")
        reader.wait_for(lambda: reader.topics_of(payload) >= READS[account], "every message that may be read")
        assert reader.topics_of(payload) == READS[account]
        assert refused == (EVERY_TOPIC - READS[account] if server.refuses_subscriptions else set())


@pytest.mark.parametrize("topic_filter", TOO_WIDE)
def test_wide_subscription_shows_a_kiosk_nothing_more(server: Server, topic_filter: str) -> None:
    payload, end, last = new_payload(), new_payload(), f"kiosk/v1/{SITE}/agent/dock-3/ack"
    with server.enter("witness") as witness, server.enter("dock-3") as kiosk:
        witness.publish(EVERY_TOPIC, payload, retain=True)
        assert not kiosk.subscribe([last])
        refused = kiosk.subscribe([topic_filter])
        witness.publish(EVERY_TOPIC, payload)
        witness.publish([last], end)
        kiosk.wait_for(lambda: kiosk.topics_of(end) == {last}, "the last message")
        assert {topic for topic, _ in kiosk.received} <= READS["dock-3"]
        assert refused == ({topic_filter} if server.refuses_subscriptions else set())


def test_kiosk_gets_all_that_the_agent_subscribes_to(server: Server) -> None:
    payload, filters = new_payload(), Topics(SITE, "dock-3").subscriptions
    wanted = {topic for topic in READS["dock-3"] if any(topic_matches_sub(one, topic) for one in filters)}
    assert wanted >= READS["dock-3"] - of_site(*COUNTED)
    with server.enter("witness") as witness, server.enter("dock-3") as kiosk:
        witness.publish(READS["dock-3"], payload, retain=True)
        assert not kiosk.subscribe(filters)
        kiosk.wait_for(lambda: kiosk.topics_of(payload) == wanted, "what is retained for the kiosk")


@pytest.mark.parametrize(
    ("account", "topic_filter"),
    [
        ("consumer", f"kiosk/v1/{SITE}/agent/#"),
        ("consumer", f"kiosk/v1/{SITE}/agent/+/event/#"),
        ("oms", f"kiosk/v1/{SITE}/agent/+/event/order"),
        ("oms", f"kiosk/v1/{SITE}/order/#"),
        ("dock-3", f"kiosk/v1/{SITE}/order/#"),
        ("dock-3", f"kiosk/v1/{SITE}/reference/#"),
        ("dock-3", f"kiosk/v1/{SITE}/counted/#"),
        ("dock-3", f"kiosk/v1/{SITE}/counted/+/+"),
        ("centre", f"kiosk/v1/{SITE}/agent/#"),
        ("centre", f"kiosk/v1/{SITE}/counted/#"),
        ("dock-3", f"kiosk/v1/{SITE}/agent/dock-3/request/#"),
        ("dock-3", f"kiosk/v1/{SITE}/agent/dock-3/verdict/#"),
    ],
)
def test_wildcards_within_the_rights_are_granted(server: Server, account: str, topic_filter: str) -> None:
    with server.enter(account) as peer:
        assert not peer.subscribe([topic_filter])


def test_will_is_published_on_the_own_topic_only(server: Server) -> None:
    payload = new_payload()
    own, foreign = (f"kiosk/v1/{SITE}/agent/{kiosk}/status" for kiosk in ("dock-3", "dock-4"))
    with server.enter("witness") as witness:
        assert not witness.subscribe(["kiosk/#"])
        for topic in (foreign, own):
            with server.enter("dock-3", will=(topic, payload)) as kiosk:
                # A broker may refuse such a connection at once.
                if kiosk.accepted:
                    kiosk.drop()
        witness.wait_for(lambda: own in witness.topics_of(payload), "the will")
        assert witness.topics_of(payload) == {own}


@pytest.mark.parametrize("login", [None, ("dock-3", "wrong"), ("dock-5", "dock-5")], ids=["none", "wrong", "unknown"])
def test_nobody_enters_without_an_account(server: Server, login: tuple[str, str] | None) -> None:
    with AccountClient(server.port, client_id=CLIENT_IDS["dock-3"], protocol=server.protocol, login=login) as peer:
        assert not peer.accepted


# -- EMQX --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "rights"), [("publish", WRITES), ("subscribe", READS)])
@pytest.mark.parametrize("account", WRITES)
def test_emqx_account_may_do_exactly_what_is_its_own(
    account: str, action: Action, rights: Mapping[str, frozenset[str]]
) -> None:
    rules = rules_of((ACL / "acl.conf").read_text())
    granted = {topic for topic in EVERY_TOPIC if allowed(rules, username=account, action=action, topic=topic)}
    assert granted == rights[account]


def test_emqx_kiosk_may_subscribe_to_what_the_agent_needs_and_no_wider() -> None:
    rules = rules_of((ACL / "acl.conf").read_text())
    filters = (*Topics(SITE, "dock-3").subscriptions, *TOO_WIDE)
    granted = tuple(one for one in filters if allowed(rules, username="dock-3", action="subscribe", topic=one))
    assert granted == Topics(SITE, "dock-3").subscriptions


@pytest.mark.parametrize("username", [None, "", "+", "#", "dock-3/event", "dock 3", "x" * 65])
def test_emqx_username_that_is_no_kiosk_id_may_do_nothing(username: str | None) -> None:
    rules = rules_of((ACL / "acl.conf").read_text())
    actions: tuple[Action, ...] = ("publish", "subscribe")
    for action, topic in itertools.product(actions, EVERY_TOPIC):
        assert not allowed(rules, username=username, action=action, topic=topic)

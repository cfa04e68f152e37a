"""From the first byte of a client to a session: PRELOGIN, TLS, LOGIN7, the answer."""

import time
from dataclasses import dataclass
from ssl import SSLContext

from pysqlbridge.tds.login import Login7, deobfuscate_password
from pysqlbridge.tds.packet import PacketType, TdsProtocolError, build_packet, next_session_id
from pysqlbridge.tds.prelogin import Encryption, Prelogin, Version, server_response
from pysqlbridge.tds.tls import TlsError, TlsTunnel, wrap_handshake
from pysqlbridge.tds.token import login_response, negotiate

from tests.standin.access import enter
from tests.standin.instance import SERVER_NAME, VERSION, Instance
from tests.standin.messages import Message, Refused, message
from tests.standin.options import Login
from tests.standin.reply import ERROR, Reply
from tests.standin.session import Session
from tests.standin.sessions import Member
from tests.standin.store import SYSTEM_DATABASES
from tests.standin.wire import ClientLost, Incoming, Wire

_DEFAULT_DATABASE = "master"


@dataclass(frozen=True, slots=True)
class LoginFailed(Exception):
    """What a client is told before the connection is closed."""

    messages: tuple[Message, ...]


def log_in(wire: Wire, instance: Instance, tls: SSLContext) -> Session:
    """Take a client in; raises ClientLost where it may not come in or goes away."""
    try:
        request = _login_request(wire, tls)
    except (TdsProtocolError, TlsError) as error:
        raise ClientLost(str(error)) from error
    tds_version: int = negotiate(request.tds_version)
    try:
        login = _admit(instance, request)
        member = _member(wire, request, login)
        database = _enter(instance, member, login, request.database or _DEFAULT_DATABASE)
    except LoginFailed as failed:
        _refuse(wire, tds_version, failed)
        raise ClientLost("the login was refused") from failed
    reply = Reply(wire, spid=member.spid, server_name=SERVER_NAME, tds_version=tds_version)
    reply.tokens(
        login_response(
            version=VERSION, server_name=SERVER_NAME, database=database, tds_version=tds_version
        )
    )
    try:
        reply.end()
    except ClientLost:
        instance.sessions.leave(member)
        raise
    return Session(instance, member, login, wire, reply)


def _login_request(wire: Wire, tls: SSLContext) -> Login7:
    """PRELOGIN and TLS. A client that did not ask for encryption gets it for LOGIN7 only."""
    asked = Prelogin.parse(_expect(wire, PacketType.PRELOGIN).payload)
    encrypt_all = asked.encryption in {Encryption.ON, Encryption.REQUIRED}
    answer = server_response(
        version=Version(*VERSION),
        encryption=Encryption.ON if encrypt_all else Encryption.OFF,
        asked=asked,
    )
    wire.send(build_packet(PacketType.TABULAR_RESULT, answer.build()))
    tunnel = TlsTunnel(tls)
    while not tunnel.handshake_complete:
        records = tunnel.advance_handshake(_expect(wire, PacketType.PRELOGIN).payload)
        if records:
            wire.send(b"".join(wrap_handshake(records)))
    wire.start_encryption(tunnel)
    request = Login7.parse(_expect(wire, PacketType.LOGIN7).payload)
    if not encrypt_all:
        wire.stop_encryption()
    return request


def _expect(wire: Wire, kind: PacketType) -> Incoming:
    incoming = wire.next_message()
    if incoming.type is not kind:
        raise TdsProtocolError(f"expected {kind.name}, got {incoming.type.name}")
    return incoming


def _admit(instance: Instance, request: Login7) -> Login:
    """Who it is; raises LoginFailed."""
    if instance.faults.happens("slow-login"):
        time.sleep(instance.faults.seconds("slow-login"))
    user: str = request.user_name
    if time.monotonic() - instance.started < instance.faults.seconds("upgrading"):
        raise LoginFailed((message(18401, user),))
    # One answer for an unknown name and a wrong password (docs).
    refused = message(18456, user)
    login = next(
        (one for one in instance.options.logins if one.name.casefold() == user.casefold()), None
    )
    if login is None or deobfuscate_password(request.password) != login.password:
        raise LoginFailed((refused,))
    return login


def _member(wire: Wire, request: Login7, login: Login) -> Member:
    return Member(
        spid=next_session_id(),
        login_name=login.name,
        program_name=request.app_name,
        host_name=request.host_name,
        hang_up=wire.cut,
        database_id=SYSTEM_DATABASES[_DEFAULT_DATABASE],
    )


def _enter(instance: Instance, member: Member, login: Login, wanted: str) -> str:
    """The same answer for a database that is unknown and one that somebody holds (capture25)."""
    try:
        # In this order, so that a slot that was won is given up by the session's end.
        instance.sessions.join(member)
        return enter(instance, member, login, wanted)
    except Refused as error:
        instance.sessions.leave(member)
        raise LoginFailed((message(4060, wanted), message(18456, login.name))) from error


def _refuse(wire: Wire, tds_version: int, failed: LoginFailed) -> None:
    """The errors, a DONE, and the connection is closed (capture25)."""
    reply = Reply(wire, spid=0, server_name=SERVER_NAME, tds_version=tds_version)
    for one in failed.messages:
        reply.say(one)
    reply.done(0, status=ERROR)
    reply.end()

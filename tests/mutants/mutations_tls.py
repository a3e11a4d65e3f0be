# ruff: noqa: E501 (lines of code, as they stand)
"""Mutants of a manager's TLS."""

from __future__ import annotations

from mutant import Mutant
from suites import python

SUITES_TLS = {
    "tls": "go test -count=1 -failfast -timeout 60s -run 'TLS|Relay|WrongServers|Files' ./runtime/tls ./runtime/internal/serve",
    "python tls": python("test_manager_tls.py"),
}

TLS = "runtime/tls/"
COVER = "runtime/internal/serve/cover.go"

MUTANTS_TLS = (
    Mutant(
        "a server takes TLS 1.2",
        TLS + "tls.go",
        "MinVersion: tls.VersionTLS13, Certificates:",
        "MinVersion: tls.VersionTLS12, Certificates:",
        "tls",
    ),
    Mutant(
        "a client takes TLS 1.2",
        TLS + "tls.go",
        "MinVersion: tls.VersionTLS13, ServerName: host",
        "MinVersion: tls.VersionTLS12, ServerName: host",
        "tls",
    ),
    Mutant(
        "a server with a CA lets in who has no certificate",
        TLS + "tls.go",
        "tls.RequireAndVerifyClientCert",
        "tls.VerifyClientCertIfGiven",
        "tls",
    ),
    Mutant(
        "a server with a CA lets in who has any certificate",
        TLS + "tls.go",
        "tls.RequireAndVerifyClientCert",
        "tls.RequireAnyClientCert",
        "tls",
    ),
    Mutant(
        "a client believes every certificate",
        TLS + "tls.go",
        "ServerName: host, NextProtos",
        "ServerName: host, InsecureSkipVerify: true, NextProtos",
        "tls",
    ),
    Mutant(
        "a client does not look for the name it was given",
        TLS + "tls.go",
        'if f.ServerName != "" {\n\t\thost =',
        "if false {\n\t\thost =",
        "tls",
    ),
    Mutant(
        "a client gives a certificate to a server of another CA",
        TLS + "tls.go",
        "err := asked.SupportsCertificate(&own); err != nil",
        "err := error(nil); err != nil",
        "tls",
    ),
    Mutant(
        "everybody may read a key",
        TLS + "files.go",
        "case secret && s.Mode&0o004 != 0:",
        "case false:",
        "tls",
    ),
    Mutant(
        "renewed files are not used",
        TLS + "tls.go",
        "config = renewed",
        "_ = renewed",
        "tls",
    ),
    Mutant(
        "each client is a line in the log about files that cannot be used",
        TLS + "tls.go",
        "\t\t\tnow = at // a",
        "\t\t\t// a",
        "tls",
    ),
    Mutant(
        "a greeting is not bound to its TLS",
        "runtime/internal/serve/greet.go",
        "frame.Proven(s.options.Key, false, data, p.bound, p.hello)",
        "frame.Proven(s.options.Key, false, data, p.hello)",
        "tls",
    ),
    Mutant(
        "who fails in TLS is told why",
        COVER,
        "\t\t\ts.refuse(p, n.err.Error())\n",
        "\t\t\tp.whole(n.cover.Seal(nil))\n\t\t\ts.refuse(p, n.err.Error())\n",
        "tls",
    ),
    Mutant(
        "a handshake may be any size",
        COVER,
        "p.got > mostCovered",
        "false",
        "tls",
    ),
    Mutant(
        "why a client does not accept the server is not heard",
        COVER,
        "\tif h.last && len(p.in) == 0 {\n\t\th.end()",
        "\tif false {\n\t\th.end()",
        "tls",
    ),
    Mutant(
        "a client that goes leaves its handshake behind",
        "runtime/internal/serve/peer.go",
        "\t\tp.shaking.end()\n",
        "",
        "tls",
    ),
    Mutant(
        "what is no record is read as nothing",
        COVER,
        '\t\ts.hungUp(p, "TLS: "+err.Error())\n',
        "",
        "tls",
    ),
    Mutant(
        "who connects over a long way begins anew all the time",
        "runtime/manager/dial.go",
        "\t\tmost = silence\n",
        "",
        "manager",
    ),
    Mutant(
        "the poller that TLS starts in a child is left to its children",
        "capi/noun.go",
        "\ttrackPoller() // TLS",
        "\t// TLS",
        "python tls",
    ),
    Mutant(
        "a file of TLS is another one after a chdir",
        "bindings/python/polyipc/_arguments.py",
        "return os.fsencode(os.path.abspath(path))",
        "return os.fsencode(path)",
        "python tls",
    ),
    Mutant(
        "C's server name is not looked for",
        "capi/manager_server.go",
        "ServerName: goString(o.tls_server_name)",
        'ServerName: ""',
        "python tls",
    ),
)

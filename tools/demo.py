#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs planck on a service directory in the foreground and prints its addresses when it is ready:
demo.py PLANCK DIRECTORY PORT. Ctrl-C, SIGTERM and a closed terminal end it; exit code 0 then."""
import json
import signal
import socket
import subprocess
import sys


def port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def announce(event, directory):
    address = "http://" + event["http"]
    print(f"\n  The pizza shop     {address}/\n  Its JSON API       {address}/api/products?limit=3"
          f"\n\nCtrl-C stops it; the data stays in {directory}/data\n", flush=True)


def main():
    planck, directory, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if not port_is_free(port):
        print(f"Port {port} is taken: taking a free one", flush=True)
        port = 0
    stopping, servers = [], []

    def stop(*_):
        stopping.append(True)
        for server in servers:
            server.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    # A session of its own: the terminal's Ctrl-C reaches planck once, as the SIGTERM sent here.
    server = subprocess.Popen([planck, directory, "--port", str(port)], stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, start_new_session=True)
    servers.append(server)
    if stopping:
        server.terminate()
    for line in server.stdout:
        event = json.loads(line)
        if event.get("event") == "ready":
            announce(event, directory)
    code = server.wait()
    if stopping and code in (0, -signal.SIGTERM):  # by the signal itself: before it was ready
        print("Stopped.")
        return 0
    print(f"error: planck ended with exit code {code}", file=sys.stderr)
    return code if code > 0 else 1


if __name__ == "__main__":
    sys.exit(main())

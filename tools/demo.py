#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs planck on a service directory in the foreground and prints its addresses when it is ready."""
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


def main():
    planck, directory, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if not port_is_free(port):
        print(f"Port {port} is taken: taking a free one")
        port = 0
    server = subprocess.Popen([planck, directory, "--port", str(port)], stdout=subprocess.PIPE)
    stopping = []

    def stop(number, frame):
        stopping.append(number)
        server.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    for line in server.stdout:
        event = json.loads(line)
        if event.get("event") == "ready":
            address = "http://" + event["http"]
            print(f"\n  The pizza shop     {address}/\n  Its JSON API       {address}/api/products?limit=3"
                  f"\n\nCtrl-C stops it; the data stays in {directory}/data\n", flush=True)
    code = server.wait()
    if stopping and code == 0:
        print("Stopped.")
        return 0
    if code != 0:
        print(f"error: planck ended with exit code {code}", file=sys.stderr)
    return code if code >= 0 else 1


if __name__ == "__main__":
    sys.exit(main())

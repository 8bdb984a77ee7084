#!/bin/sh
# After the files are there: dpkg says "configure" and the version before, rpm how many versions there are.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
if [ "$1" = configure ] && [ -n "$2" ] || [ "$1" = 2 ]; then
	if [ -d /run/systemd/system ] && systemctl -q is-active nanoring; then
		echo "nanoring: the node that runs is still the version before. To run this one: systemctl restart nanoring, on one host after the other."
	fi
elif [ ! -e /etc/nanoring/ring.key ]; then
	echo "nanoring: for a node on this host,"
	echo "  1. make the ring's secret on one host, and copy it to the others: nanoring keygen --out /etc/nanoring/ring.key"
	echo "  2. say in /etc/nanoring/nanoring.toml where this host listens, and where others are"
	echo "  3. systemctl enable --now nanoring"
fi

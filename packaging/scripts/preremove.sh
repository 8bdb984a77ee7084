#!/bin/sh
# Before the files go, but not for another version: dpkg says "remove", rpm that none is left.
set -e
if [ "$1" = remove ] || [ "$1" = 0 ]; then
	if command -v systemctl >/dev/null; then
		systemctl --no-reload disable nanoring || true
	fi
	if [ -d /run/systemd/system ]; then
		systemctl stop nanoring || true
	fi
fi

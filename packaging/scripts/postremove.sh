#!/bin/sh
# After the files have gone.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
if [ "$1" = remove ] || [ "$1" = 0 ]; then
	for data in /var/lib/private/nanoring /etc/nanoring/ring.key; do
		if [ -e "$data" ]; then
			echo "nanoring: $data is left: it is data"
		fi
	done
fi

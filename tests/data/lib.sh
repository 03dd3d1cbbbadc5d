# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What record and derive share. git keeps no empty directories: their names are in a file beside the tree.

hosts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/hosts

# put_tree DIRECTORY KIND: DIRECTORY becomes the tree of KIND; it is gone afterwards
put_tree()
{
	local kind=$hosts/$2
	chmod 755 "$1"
	mkdir -p "$kind"
	(cd "$1" && find . -type d -empty | LC_ALL=C sort) > "$kind/empty-directories"
	find "$1" -depth -type d -empty -delete
	rm -rf "$kind/root"
	cp -dR "$1" "$kind/root"
	rm -rf "$1"
}

# get_tree KIND DIRECTORY: a copy of the tree of KIND, with all its directories
get_tree()
{
	cp -dR "$hosts/$1/root/." "$2"
	(cd "$2" && xargs -r -d '\n' mkdir -p < "$hosts/$1/empty-directories")
}

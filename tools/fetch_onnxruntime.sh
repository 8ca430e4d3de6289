#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the pinned ONNX Runtime from the Python package index into DEST:
# libonnxruntime.so.VERSION, libonnxruntime.so.1 and the licences. The wheel's
# SHA-256 is checked. Needs python3 with pip and the standard library only.
#
#     tools/fetch_onnxruntime.sh DEST [ARCH]
#
# ARCH (x86_64, aarch64) is that of this machine unless given.
set -eu

VERSION=1.30.0
SHA256_x86_64=fd54b314ea385bcecac69ab431f020ba503e3878dad4ebb645fec5a24b041242
SHA256_aarch64=bac3aee7b40acd805659fd81a2acd6096312d5b0f014c97ddfe75fb4c1644627

fail() {
	echo "fetch_onnxruntime: $*" >&2
	exit 1
}

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
	echo "usage: fetch_onnxruntime.sh DEST [ARCH]" >&2
	exit 2
fi
dest=${1%/}
arch=${2:-$(uname -m)}
case $arch in
x86_64 | amd64) arch=x86_64 sha256=$SHA256_x86_64 ;;
aarch64 | arm64) arch=aarch64 sha256=$SHA256_aarch64 ;;
*) fail "no ONNX Runtime for '$arch' is known; build it, and name it with --ort-library PATH" ;;
esac

stamp=$VERSION-$arch-$sha256
if [ -f "$dest/.fetched" ] && [ "$(cat "$dest/.fetched")" = "$stamp" ] &&
	[ -e "$dest/libonnxruntime.so.1" ]; then
	exit 0
fi

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "no '$python'; install python3"
"$python" -m pip --version >/dev/null 2>&1 ||
	fail "python3 has no pip; install python3-pip"

parent=$(dirname -- "$dest")
mkdir -p -- "$parent"
work=$(mktemp -d "$parent/.onnxruntime.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Several platform tags: an old pip matches only those that are spelled out.
# Whatever index the user has configured is used: the checksum decides.
echo "fetching ONNX Runtime $VERSION for $arch" >&2
"$python" -m pip download --quiet --disable-pip-version-check --no-deps \
	--only-binary=:all: --python-version 3.11 --implementation cp --abi cp311 \
	--platform "manylinux_2_28_$arch" --platform "manylinux_2_27_$arch" \
	--platform "manylinux2014_$arch" \
	--dest "$work" "onnxruntime==$VERSION" >&2 ||
	fail "pip could not download onnxruntime $VERSION; check the network, or name a
library that you have with --ort-library PATH"

mkdir "$work/new"
"$python" - "$work" "$sha256" "$VERSION" "$work/new" <<'EOF' ||
import glob, hashlib, os, shutil, sys, zipfile

folder, wanted, version, target = sys.argv[1:]
wheels = glob.glob(os.path.join(folder, "*.whl"))
if len(wheels) != 1:
    sys.exit("fetch_onnxruntime: expected one wheel, got %d" % len(wheels))
digest = hashlib.sha256()
with open(wheels[0], "rb") as wheel:
    for block in iter(lambda: wheel.read(1 << 20), b""):
        digest.update(block)
if digest.hexdigest() != wanted:
    sys.exit("fetch_onnxruntime: %s has SHA-256\n%s, not\n%s; it is not used"
             % (os.path.basename(wheels[0]), digest.hexdigest(), wanted))
keep = {"libonnxruntime.so." + version: "libonnxruntime.so." + version,
        "LICENSE": "LICENSE", "ThirdPartyNotices.txt": "ThirdPartyNotices.txt",
        "Privacy.md": "Privacy.md"}
with zipfile.ZipFile(wheels[0]) as archive:
    for name in archive.namelist():
        to = keep.pop(os.path.basename(name), None)
        if to:
            with archive.open(name) as data:
                with open(os.path.join(target, to), "wb") as out:
                    shutil.copyfileobj(data, out, 1 << 20)
if "libonnxruntime.so." + version in keep or "LICENSE" in keep:
    sys.exit("fetch_onnxruntime: the wheel lacks the library or its licence")
EOF
	fail "ONNX Runtime was not installed"

chmod 755 "$work/new/libonnxruntime.so.$VERSION"
ln -s "libonnxruntime.so.$VERSION" "$work/new/libonnxruntime.so.1"
printf '%s\n' "$stamp" >"$work/new/.fetched"

# The old folder steps aside only when the new one is complete.
if [ -e "$dest" ]; then
	mv -- "$dest" "$work/old"
fi
mv -- "$work/new" "$dest"
echo "ONNX Runtime $VERSION is in $dest" >&2

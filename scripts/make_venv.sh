#!/bin/sh
# Make a virtual environment: make_venv.sh FOLDER [PYTHON]
# Takes the first Python that is new enough, or tells in one sentence what to install.
set -eu

folder=$1
shift
is_new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
has_venv='import ensurepip, venv'

[ $# -gt 0 ] && asked="$*" || asked=
tried=
for python in ${asked:-python3 python3.13 python3.12 python3.11 python3.14}; do
  version=$("$python" -c 'import platform; print(platform.python_version())' 2>&1) || version=
  tried="$tried${tried:+, }$python ($(if [ -n "$version" ]; then echo "$version"; else echo "not found"; fi))"
  [ -n "$version" ] && "$python" -c "$is_new_enough" || continue
  if ! "$python" -c "$has_venv" 2>/dev/null; then
    echo "$python ($version) cannot make virtual environments: apt install python3-venv" >&2
    exit 1
  fi
  echo "Making $folder with $python ($version)."
  exec "$python" -m venv --clear "$folder"
done
echo "Movies needs Python 3.11 or newer; tried $tried." \
  "Install one, or name one: make install PYTHON=/path/to/python3.12" >&2
exit 1

#!/bin/sh
# Qt's wheel brings everything but a few libraries of the system. On Debian and Ubuntu this installs
# those that are missing when it may, and otherwise says which ones are needed.
set -u
[ "$(uname -s)" = Linux ] || exit 0

missing=""
need() { # library package
    ldconfig -p 2>/dev/null | grep -q "$1" || missing="$missing $2"
}
need libEGL.so.1 libegl1
need libGL.so.1 libgl1
need libxkbcommon.so.0 libxkbcommon0
need libfontconfig.so.1 libfontconfig1
need libdbus-1.so.3 libdbus-1-3
need libglib-2.0.so.0 libglib2.0-0
# Only for a window on X11.
if [ -n "${DISPLAY:-}" ]; then
    need libxcb-cursor.so.0 libxcb-cursor0
    need libxcb-icccm.so.4 libxcb-icccm4
    need libxcb-image.so.0 libxcb-image0
    need libxcb-keysyms.so.1 libxcb-keysyms1
    need libxcb-render-util.so.0 libxcb-render-util0
    need libxcb-xkb.so.1 libxcb-xkb1
    need libxkbcommon-x11.so.0 libxkbcommon-x11-0
fi
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo -n"
    # shellcheck disable=SC2086
    if $sudo apt-get update -qq >/dev/null 2>&1 && $sudo apt-get install -y -qq $missing >/dev/null 2>&1; then
        echo "Installed the system packages that Qt needs:$missing"
        exit 0
    fi
fi
echo "Qt needs these system packages, which could not be installed from here:$missing" >&2
echo "On Debian or Ubuntu: sudo apt-get install$missing" >&2

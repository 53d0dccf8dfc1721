# Sourced by ./run and ./test: installs Debian packages where that is allowed (root and apt-get), and says so.

have_postgres() { command -v pg_ctl >/dev/null || ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1; }

# Not grep -q: it would stop ldconfig in the middle, and pipefail would call that absent.
have_sqlite() { ldconfig -p 2>/dev/null | grep -F 'libsqlite3.so.0' >/dev/null; }

have_librdkafka() { ldconfig -p 2>/dev/null | grep -F 'librdkafka.so.1' >/dev/null; }

# install_packages NAME...: true if the packages were installed.
install_packages() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  echo "Installing $*"
  export DEBIAN_FRONTEND=noninteractive
  mkdir -p "$root/artifacts"
  local log="$root/artifacts/packages.log"
  {
    apt-get update
    case " $* " in *" postgresql "*)
      # Keeps the package from making and starting a cluster of its own; private ones are made where they are needed.
      apt-get install -y --no-install-recommends postgresql-common \
        && sed -ri 's/^#?(create_main_cluster) .*/\1 = false/' /etc/postgresql-common/createcluster.conf ;;
    esac
    apt-get install -y --no-install-recommends "$@"
  } >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; return 1; }
}

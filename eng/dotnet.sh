# Sourced by ./run and ./test: makes `dotnet` an SDK that global.json accepts. One found on the machine is used as it is;
# otherwise Microsoft's install script puts one into ./.dotnet, which touches nothing outside this folder.
# Expects `root` to be this repository's absolute path.

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
# Nothing here depends on a culture; without this the SDK refuses to start where ICU's libraries are missing.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
if [ ! -w "${HOME:-/nonexistent}" ]; then
  export DOTNET_CLI_HOME="$root/artifacts/home" HOME="$root/artifacts/home"
  mkdir -p "$HOME"
fi

sdk_fits() { (cd "$root" && "$1" --version) >/dev/null 2>&1; }

fetch() {
  if command -v curl >/dev/null; then
    curl -fsSL --retry 3 "$1" -o "$2"
  elif command -v wget >/dev/null; then
    wget -q "$1" -O "$2"
  else
    echo "Neither curl nor wget is there to fetch $1; install one of them (apt-get install curl ca-certificates)." >&2
    return 1
  fi
}

fetch_sdk() {
  echo "No .NET 10 SDK found; fetching one into $root/.dotnet (about 230 MB)."
  mkdir -p "$root/.dotnet"
  if ! fetch https://dot.net/v1/dotnet-install.sh "$root/.dotnet/dotnet-install.sh" \
    || ! bash "$root/.dotnet/dotnet-install.sh" --channel 10.0 --install-dir "$root/.dotnet" --no-path; then
    echo "The .NET SDK could not be fetched. Install .NET 10 (https://dotnet.microsoft.com/download), so that \`dotnet\` is on the PATH" \
      "or in $root/.dotnet, and try again." >&2
    return 1
  fi
  if ! sdk_fits "$root/.dotnet/dotnet"; then
    echo "The .NET SDK in $root/.dotnet does not start. It says:" >&2
    (cd "$root" && "$root/.dotnet/dotnet" --version 2>&1 | head -n 8) >&2
    return 1
  fi
}

if sdk_fits dotnet; then
  :
elif sdk_fits "$root/.dotnet/dotnet" || fetch_sdk; then
  export DOTNET_ROOT="$root/.dotnet" PATH="$root/.dotnet:$PATH"
else
  exit 1
fi

# shellcheck shell=bash
# Programs that are built from Go modules.

# go_programs DIR WHAT LDFLAGS PACKAGE...: builds each package of the module in the current directory
# to DIR/<last word of its path>, one after the other since each fills all cores and much memory.
go_programs() {
  local dir=$1 what=$2 ldflags=$3 package begun
  shift 3
  for package in "$@"; do
    begun=$SECONDS
    say "$what: $(basename "$package") …"
    go build -trimpath -ldflags "-s -w $ldflags" -o "$dir/" "$package"
    say "$what: $(basename "$package") in $((SECONDS - begun)) s"
  done
}

# Any Go will do to start with: one that is too old fetches the one a module asks for.
export CGO_ENABLED=0 GOFLAGS='-mod=mod -buildvcs=false' GOTOOLCHAIN=auto

# go_module DIR MODULE VERSION: makes DIR a module that requires MODULE at VERSION.
go_module() {
  mkdir -p "$1"
  cd "$1"
  go mod init lab.invalid/programs 2>/dev/null
  go mod edit -require="$2@$3"
}

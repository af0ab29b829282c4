# Java: any JDK and Maven that are new enough, else Debian's. Sourced by bash after prerequisites.sh.
ensure_java() {
  local package
  local -a packages=()
  for package in $DEBIAN_JAVA; do
    case $package in
      openjdk-*) _tool_is javac "$MINIMUM_JAVA" || packages+=("$package") ;;
      maven) _tool_is mvn "$MINIMUM_MAVEN" || packages+=("$package") ;;
    esac
  done
  need_debian "${packages[@]}"
  _tool_is javac "$MINIMUM_JAVA" || die "javac is '$(version_of javac --version)', needed: $MINIMUM_JAVA or later"
  _tool_is mvn "$MINIMUM_MAVEN" || die "mvn is '$(version_of mvn --version)', needed: $MINIMUM_MAVEN or later"
}

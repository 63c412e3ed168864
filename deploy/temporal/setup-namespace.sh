#!/bin/sh
# Waits for the server, then creates the namespace and the search attributes of agent runs where they are missing. Safe to repeat.
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE come from the environment, and NAMESPACE_RETENTION: how long closed runs can be read.
set -eu

wait_until() {
  attempts_left=60
  until "$@" >/dev/null 2>&1; do
    attempts_left=$((attempts_left - 1))
    if [ "$attempts_left" -eq 0 ]; then
      echo "Gave up waiting for: $*" >&2
      "$@"
      exit 1
    fi
    sleep 2
  done
}

wait_until temporal operator cluster health

# `create` does not read the namespace from the environment.
if ! temporal operator namespace describe >/dev/null 2>&1; then
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$NAMESPACE_RETENTION"
fi

# The server knows a new namespace only after its next look at the database, up to 10 seconds later.
wait_until temporal operator search-attribute list

attribute() {
  if ! temporal operator search-attribute list | grep -Eq "^ *$1 +$2 *\$"; then
    temporal operator search-attribute create --name "$1" --type "$2"
  fi
}

attribute AgentStatus Keyword
attribute AgentCostUsd Double
attribute AgentSteps Int
attribute AgentModel Keyword
attribute AgentNeedsDecision Bool

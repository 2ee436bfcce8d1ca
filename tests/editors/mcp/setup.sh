# The MCP inspector, with a Node that it runs on, in $cache. Sourced by run.sh; sets TAKEBACK_INSPECTOR.
if [ -z "${TAKEBACK_INSPECTOR:-}" ]; then
  inspector=$cache/inspector
  if ! [ -x "$inspector/run" ]; then
    command -v npm >/dev/null || { echo "Missing: npm. Install it (Debian package npm), and run this again."; exit 1; }
    echo "Setting up the MCP inspector in $inspector (once) ..."
    npm install --silent --no-audit --no-fund --prefix "$inspector/node" node@24
    PATH=$inspector/node/node_modules/.bin:$PATH \
      npm install --silent --no-audit --no-fund --prefix "$inspector/package" @modelcontextprotocol/inspector@2
    cat >"$inspector/run" <<END
#!/bin/sh
PATH="$inspector/node/node_modules/.bin:\$PATH" exec "$inspector/package/node_modules/.bin/mcp-inspector" "\$@"
END
    chmod +x "$inspector/run"
  fi
  export TAKEBACK_INSPECTOR=$inspector/run
fi

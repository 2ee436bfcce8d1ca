"""The plugin that tells Takeback what opencode does: opencode has no settings for hooks, and calls plugins."""

from __future__ import annotations

PLUGIN = """// Written by `takeback hook install opencode`; `takeback hook uninstall opencode` removes it.
import { spawn } from "node:child_process";

const command = COMMAND;
const patience = 2000;

// Tells Takeback what happens, waits until it knows, and never fails.
function tell(event) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patience);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    try {
      const child = spawn(command[0], command.slice(1), { stdio: ["pipe", "ignore", "ignore"] });
      child.on("error", done);
      child.on("exit", done);
      child.stdin.on("error", () => {});
      child.stdin.end(JSON.stringify(event));
    } catch {
      done();
    }
  });
}

export const Takeback = async (input) => {
  const cwd = input[`directory`];
  const begun = new Map();
  return {
    "chat.message": async ({ sessionID }, { parts }) => {
      const prompt = parts.filter((part) => part.type === "text").map((part) => part.text).join(" ");
      await tell({ event: "chat.message", cwd, sessionID, prompt });
    },
    "tool.execute.before": async ({ tool, sessionID, callID }, { args }) => {
      begun.set(callID, args);
      await tell({ event: "tool.execute.before", cwd, sessionID, callID, tool, args });
    },
    "tool.execute.after": async ({ tool, sessionID, callID }) => {
      const args = begun.get(callID);
      begun.delete(callID);
      await tell({ event: "tool.execute.after", cwd, sessionID, callID, tool, args });
    },
    event: async ({ event }) => {
      const idle = event.type === "session.status" && event.properties?.status?.type === "idle";
      if (idle || event.type === "session.idle") {
        await tell({ event: "session.idle", cwd, sessionID: event.properties.sessionID });
      }
    },
  };
};
"""

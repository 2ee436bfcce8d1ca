-- nvim --headless -u NONE -i NONE -n -l scenario.lua TAKEBACK FILE SCENARIO LINE
-- Drives a real Neovim through one scenario. It waits for conditions only; exit status 0 or 1.
local TAKEBACK, FILE, SCENARIO, LINE = _G.arg[1], _G.arg[2], _G.arg[3], _G.arg[4]

local function say(...) io.stdout:write(table.concat(vim.tbl_map(tostring, { ... }), " ") .. "\n") end
local function check(ok, what) if not ok then error("FAILED: " .. what, 2) end; say("ok", what) end
local function wait(what, condition) check(vim.wait(15000, condition, 10), what) end

local function lines() return vim.api.nvim_buf_get_lines(0, 0, -1, false) end
local function on_disk() return vim.fn.readfile(FILE) end

local function write_disk(number, text)
  -- What another process does: the file is replaced, the buffer knows nothing of it.
  local all = on_disk()
  all[number] = text
  local file = assert(io.open(FILE .. ".part", "w"))
  file:write(table.concat(all, "\n") .. "\n")
  file:close()
  assert(vim.uv.fs_rename(FILE .. ".part", FILE))
end

local client, exited

local function command(name, argument)
  -- Buffer 0 makes Neovim hold pending changes back, as they are when a person types while a command is on its way.
  local answer = client:request_sync("workspace/executeCommand", { command = name, arguments = { argument } }, 20000, 0)
  if not answer then error(name .. ": no answer") end
  if answer.err then error(name .. ": " .. vim.inspect(answer.err)) end
  return answer.result
end

local function attach()
  vim.o.autoread = true
  vim.cmd("edit " .. vim.fn.fnameescape(FILE))
  local id = vim.lsp.start({
    name = "takeback",
    cmd = { TAKEBACK, "lsp" },
    root_dir = vim.fn.fnamemodify(FILE, ":h"),
    on_exit = function(code) exited = code end,
  })
  wait("initialized", function()
    client = vim.lsp.get_client_by_id(id)
    return client and client.initialized
  end)
  check(command("takeback.status", vim.empty_dict()).workspace ~= nil, "the workspace is open")
end

local function wait_recorded(actor)
  wait("the write is recorded", function()
    local last = command("takeback.status", vim.empty_dict()).operations[1]
    return last ~= nil and last.actor == actor
  end)
end

local scenarios = {}

-- An external process edits line 3, Neovim reloads, the human edits line 39 and does not save, then undo.
function scenarios.reloaded()
  local former = lines()[3]
  write_disk(3, LINE)
  wait_recorded("unknown")
  vim.cmd("checktime")
  wait("the buffer is reloaded", function() return lines()[3] == LINE end)
  vim.api.nvim_buf_set_lines(0, 38, 39, false, { "# a human wrote this" })
  local result = command("takeback.undoLast", { n = 1 })
  check(result.outcome == "applied", "the undo is applied: " .. vim.inspect(result))
  check(lines()[3] == former, "line 3 is back in the buffer")
  check(lines()[39] == "# a human wrote this", "line 39 stays")
  check(vim.bo.modified, "the buffer is not saved")
  check(on_disk()[3] == former, "line 3 is back on disk")
  check(on_disk()[39] ~= "# a human wrote this", "the unsaved line is not on disk")
  vim.cmd("write")
  check(vim.deep_equal(lines(), on_disk()), "disk and buffer agree")
  check(on_disk()[39] == "# a human wrote this" and on_disk()[3] == former, "both are on disk")
  wait_recorded("human")
end

-- The human edits line 39 first; the external write of line 3 is never loaded.
function scenarios.not_reloaded()
  local before = on_disk()
  vim.api.nvim_buf_set_lines(0, 38, 39, false, { "# a human wrote this" })
  local mine, tick = lines(), vim.api.nvim_buf_get_changedtick(0)
  write_disk(3, LINE)
  wait_recorded("unknown")
  local result = command("takeback.undoLast", { n = 1 })
  check(result.outcome == "applied", "the undo is applied: " .. vim.inspect(result))
  check(vim.deep_equal(on_disk(), before), "the disk has its former bytes")
  check(vim.deep_equal(lines(), mine), "the buffer is as it was")
  check(vim.api.nvim_buf_get_changedtick(0) == tick, "the buffer was not touched")
  check(vim.bo.modified, "the human's line is still unsaved")
end

-- Nothing is unsaved: the buffer follows, and the editor counts it as changed until it is saved.
function scenarios.clean()
  local former = lines()[3]
  write_disk(3, LINE)
  wait_recorded("unknown")
  vim.cmd("checktime")
  wait("the buffer is reloaded", function() return lines()[3] == LINE end)
  vim.o.undolevels = vim.o.undolevels  -- what follows is an undo step of its own, as it is when a person types
  local result = command("takeback.undoLast", { n = 1 })
  check(result.outcome == "applied" and result.files[1].outcome == "in_editor", "the undo is in the editor")
  check(lines()[3] == former and on_disk()[3] == former, "line 3 is back in the buffer and on disk")
  vim.cmd("write")
  check(vim.deep_equal(lines(), on_disk()), "disk and buffer agree")
  vim.cmd("undo")
  check(lines()[3] == LINE, "the editor's own undo brings the line back")
end

-- Unsaved text rewrote the very line: nothing is written anywhere.
function scenarios.clash()
  write_disk(3, LINE)
  wait_recorded("unknown")
  vim.cmd("checktime")
  wait("the buffer is reloaded", function() return lines()[3] == LINE end)
  vim.api.nvim_buf_set_lines(0, 2, 3, false, { LINE .. " and mine" })
  local mine, before = lines(), on_disk()
  local result = command("takeback.undoLast", { n = 1 })
  check(result.outcome == "conflict", "it is a conflict: " .. vim.inspect(result))
  check(vim.deep_equal(lines(), mine), "the buffer is as it was")
  check(vim.deep_equal(on_disk(), before), "the disk is as it was")
end

local function main()
  attach()
  scenarios[SCENARIO]()
  client:stop()
  wait("the server ended well", function() return exited == 0 end)
end

local ok, problem = xpcall(main, debug.traceback)
if not ok then say(problem) end
io.stdout:flush()
vim.cmd(ok and "qall!" or "cquit 1")

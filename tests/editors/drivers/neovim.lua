-- Neovim does what one line of JSON after the other says, and answers each with a line.
local uv = vim.uv or vim.loop
local pipe, lines, rest, asked, answers, leaving = uv.new_pipe(false), {}, "", {}, {}, false

local function choose(message, titles)
  table.insert(asked, { message = message, choices = titles })
  local wanted = table.remove(answers, 1)
  for number, title in ipairs(titles) do
    if wanted and title:find(wanted, 1, true) then return number end
  end
end

-- What a person is asked on the screen is answered from the step.
vim.ui.select = function(items, options, chosen)
  local number = choose(options.prompt, vim.tbl_map(options.format_item or tostring, items))
  chosen(number and items[number], number)
end
vim.fn.inputlist = function(options) return choose(options[1], vim.list_slice(options, 3)) or 0 end

local function client() return (vim.lsp.get_clients or vim.lsp.get_active_clients)()[1] end

local function show(path) vim.cmd((vim.fn.bufnr(path) < 0 and "edit " or "buffer ") .. vim.fn.fnameescape(path)) end

local function ask(method, params, buffer)
  local running = client()
  local given, problem
  if vim.fn.has("nvim-0.11") == 1 then
    given, problem = running:request_sync(method, params, 20000, buffer)
  else
    given, problem = running.request_sync(method, params, 20000, buffer)
  end
  if not given then error(method .. ": " .. tostring(problem)) end
  return given
end

local function place(step)
  show(step.path)
  vim.api.nvim_win_set_cursor(0, { step.line, 0 })
end

local does = {}

function does.ready() return client() ~= nil and vim.lsp.buf_is_attached(0, client().id) and client().server_capabilities ~= nil end

function does.open(step) vim.cmd("edit " .. vim.fn.fnameescape(step.path)) end

function does.text(step)
  local buffer = vim.fn.bufnr(step.path)
  local ending = vim.bo[buffer].fileformat == "dos" and "\r\n" or "\n"
  local text = table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), ending)
  return { text = text .. (vim.bo[buffer].endofline and ending or ""), unsaved = vim.bo[buffer].modified }
end

function does.type(step)
  show(step.path)
  local all = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  for number, line in ipairs(all) do
    if line == step.old then return vim.api.nvim_buf_set_lines(0, number - 1, number, false, vim.split(step.new, "\n")) end
  end
  error("no such line: " .. step.old)
end

function does.formats(step)
  show(step.path)
  local function format() does.type(step) end
  vim.api.nvim_create_autocmd("BufWritePre", { buffer = vim.api.nvim_get_current_buf(), once = true, callback = format })
end

function does.save(step) show(step.path) vim.cmd("write") end

function does.reload(step) show(step.path) vim.cmd("checktime") end

function does.undo(step) show(step.path) vim.cmd("undo") end

function does.close(step) vim.cmd("bdelete " .. vim.fn.fnameescape(step.path)) end

function does.command(step)
  answers, asked = step.answers, {}
  local arguments = step.arguments and { step.arguments } or nil
  -- Without a buffer Neovim holds back what it has not told yet, as when a person types on meanwhile.
  local buffer = step.hurried and 0 or vim.api.nvim_get_current_buf()
  local given = ask("workspace/executeCommand", { command = step.name, arguments = arguments }, buffer)
  return { result = given.result or vim.NIL, problem = given.err and given.err.message or vim.NIL, asked = asked }
end

function does.ask(step)
  answers, asked = step.answers, {}
  vim.cmd("Takeback " .. step.name)
end

function does.asked() return asked end

function does.quit()
  leaving = true
end

local function position()
  return vim.lsp.util.make_position_params(0, client().offset_encoding)
end

local function actions()
  local where = position()
  local range = { start = where.position, ["end"] = where.position }
  local params = { textDocument = where.textDocument, range = range, context = { diagnostics = {} } }
  return ask("textDocument/codeAction", params, vim.api.nvim_get_current_buf()).result or {}
end

function does.actions(step)
  place(step)
  return vim.tbl_map(function(one) return one.title end, actions())
end

function does.act(step)
  place(step)
  answers, asked = { step.title }, {}
  vim.lsp.buf.code_action()
end

function does.hover(step)
  place(step)
  local found = ask("textDocument/hover", position(), vim.api.nvim_get_current_buf()).result
  if not found or found == vim.NIL then return "" end
  return table.concat(vim.lsp.util.convert_input_to_markdown_lines(found.contents), "\n")
end

function does.lenses(step)
  show(step.path)
  local params = { textDocument = vim.lsp.util.make_text_document_params(0) }
  local found = ask("textDocument/codeLens", params, vim.api.nvim_get_current_buf()).result or {}
  return vim.tbl_map(function(one)
    if not one.command then one = ask("codeLens/resolve", one, vim.api.nvim_get_current_buf()).result end
    return { line = one.range.start.line + 1, title = one.command.title }
  end, found)
end

function does.drawn(step)
  show(step.path)
  vim.lsp.codelens.refresh()
  local found = {}
  vim.wait(5000, function()
    for _, namespace in pairs(vim.api.nvim_get_namespaces()) do
      for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })) do
        for _, chunk in ipairs(mark[4].virt_text or {}) do
          if chunk[2] == "LspCodeLens" then table.insert(found, chunk[1]) end
        end
      end
    end
    return #found > 0
  end, 20)
  return found
end

local function answer(line)
  local step = vim.json.decode(line)
  local ok, value = pcall(does[step["do"]], step)
  pcall(function() vim.o.undolevels = vim.o.undolevels end)  -- each step is one for the editor's undo, as when a person types
  local reply = ok and { value = value == nil and vim.NIL or value } or { error = tostring(value) }
  pipe:write(vim.json.encode(reply) .. "\n")
end

pipe:connect(os.getenv("TAKEBACK_DRIVER"), function(problem)
  assert(not problem, problem)
  pipe:read_start(function(_, data)
    if not data then leaving = true return end
    rest = rest .. data
    for line in rest:gmatch("([^\n]*)\n") do table.insert(lines, line) end
    rest = rest:match("[^\n]*$")
  end)
end)

while not leaving do
  vim.wait(1000, function() return leaving or #lines > 0 end, 5)
  while #lines > 0 do answer(table.remove(lines, 1)) end
end
vim.cmd("qall!")

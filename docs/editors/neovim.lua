vim.lsp.config("takeback", { cmd = { "takeback", "lsp" }, root_markers = { ".git" } })
vim.lsp.enable("takeback")

-- What others write is shown as soon as you look.
vim.api.nvim_create_autocmd({ "FocusGained", "BufEnter", "CursorHold" }, { command = "silent! checktime" })

-- :Takeback undoLast, :Takeback rollback … ask what is meant.
vim.api.nvim_create_user_command("Takeback", function(given)
  local client = assert(vim.lsp.get_clients({ name = "takeback" })[1], "takeback is not running")
  client:exec_cmd({ title = given.args, command = "takeback." .. given.args })
end, { nargs = 1 })

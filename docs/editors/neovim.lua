vim.lsp.config("takeback", { cmd = { "takeback", "lsp" }, root_markers = { ".git" } })
vim.lsp.enable("takeback")

-- What others write is shown as soon as you look.
vim.api.nvim_create_autocmd({ "FocusGained", "BufEnter", "CursorHold" }, { command = "silent! checktime" })

-- :Takeback undoLast, :Takeback rollback … ask what is meant.
vim.api.nvim_create_user_command("Takeback", function(given)
  local client = assert(vim.lsp.get_clients({ name = "takeback" })[1], "takeback is not running")
  client:exec_cmd({ title = given.args, command = "takeback." .. given.args })
end, { nargs = 1 })

-- Above what others wrote: who, when, and what you can do. :lua vim.lsp.codelens.run()
vim.api.nvim_create_autocmd({ "LspAttach", "BufEnter", "CursorHold", "InsertLeave" }, {
  callback = function(event) vim.lsp.codelens.refresh({ bufnr = event.buf }) end,
})

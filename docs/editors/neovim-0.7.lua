local running

vim.api.nvim_create_autocmd("BufReadPost", {
  callback = function()
    running = running or vim.lsp.start_client({
      name = "takeback",
      cmd = { "takeback", "lsp" },
      root_dir = vim.fs and vim.fs.dirname(vim.fs.find(".git", { upward = true })[1]) or vim.fn.getcwd(),
    })
    vim.lsp.buf_attach_client(0, running)
  end,
})

-- What others write is shown as soon as you look.
vim.api.nvim_create_autocmd({ "FocusGained", "BufEnter", "CursorHold" }, { command = "silent! checktime" })

-- :Takeback undoLast, :Takeback rollback … ask what is meant.
vim.api.nvim_create_user_command("Takeback", function(given)
  vim.lsp.buf.execute_command({ command = "takeback." .. given.args })
end, { nargs = 1 })

-- Above what others wrote: who, when, and what you can do. :lua vim.lsp.codelens.run()
vim.api.nvim_create_autocmd({ "BufEnter", "CursorHold", "InsertLeave" }, {
  callback = function()
    if running and vim.lsp.buf_is_attached(0, running) then vim.lsp.codelens.refresh() end
  end,
})

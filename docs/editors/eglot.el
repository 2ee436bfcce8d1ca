(require 'eglot)
(add-to-list 'eglot-server-programs '((prog-mode text-mode conf-mode) "takeback" "lsp"))
(setq eglot-confirm-server-initiated-edits nil) ; what you take back is not asked a second time
(add-hook 'prog-mode-hook #'eglot-ensure)
(add-hook 'text-mode-hook #'eglot-ensure)

(defun takeback (command)
  "Run a COMMAND of Takeback, which asks what is meant."
  (interactive
   (list (completing-read "Takeback: " '("undoLast" "redo" "createCheckpoint" "rollback" "status"))))
  (jsonrpc-async-request
   (eglot-current-server) :workspace/executeCommand
   (list :command (concat "takeback." command) :arguments [])
   :success-fn #'ignore :timeout-fn #'ignore))

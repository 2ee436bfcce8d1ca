(require 'lsp-mode)
(lsp-register-client
 (make-lsp-client
  :new-connection (lsp-stdio-connection '("takeback" "lsp"))
  :activation-fn (lambda (&rest _) t)
  :add-on? t                                    ; beside the server of the language
  :notification-handlers (lsp-ht ("takeback/timelineChanged" #'ignore) ("takeback/status" #'ignore))
  :server-id 'takeback))
(setq lsp-lens-enable t)
(add-hook 'prog-mode-hook #'lsp-deferred)
(add-hook 'text-mode-hook #'lsp-deferred)

(defun takeback (command)
  "Run a COMMAND of Takeback, which asks what is meant."
  (interactive
   (list (completing-read "Takeback: " '("undoLast" "redo" "createCheckpoint" "rollback" "status"))))
  (with-lsp-workspace (lsp-find-workspace 'takeback (buffer-file-name))
    (lsp-request-async "workspace/executeCommand" (list :command (concat "takeback." command)) #'ignore
                       :mode 'detached)))

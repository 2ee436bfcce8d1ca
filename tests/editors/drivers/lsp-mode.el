;;; lsp-mode.el --- what Emacs's driver needs of lsp-mode  -*- lexical-binding: t -*-
(setq lsp-auto-guess-root t lsp-restart 'ignore lsp-response-timeout 20)

(defun driver-ready ()
  (let ((workspace (lsp-find-workspace 'takeback (buffer-file-name))))
    (and workspace (eq 'initialized (lsp--workspace-status workspace)) (bound-and-true-p lsp-managed-mode))))

(defun driver-command (name arguments)
  (lsp-request "workspace/executeCommand" (list :command name :arguments arguments)))

(defun driver-actions () (vconcat (mapcar (lambda (one) (lsp-get one :title)) (lsp-code-actions-at-point))))

(defun driver-act () (call-interactively #'lsp-execute-code-action))

(defun driver-hover ()
  (let ((found (lsp-request "textDocument/hover" (lsp--text-document-position-params))))
    (if found (substring-no-properties (lsp--render-on-hover-content (lsp-get found :contents) t)) "")))

(defun driver-lenses ()
  (vconcat
   (mapcar (lambda (one)
             (let ((lens (if (lsp-get one :command) one (lsp-request "codeLens/resolve" one))))
               (list :line (1+ (lsp-get (lsp-get (lsp-get lens :range) :start) :line))
                     :title (lsp-get (lsp-get lens :command) :title))))
           (lsp-request "textDocument/codeLens" (list :textDocument (lsp--text-document-identifier))))))

(defun driver-quit () (lsp-workspace-shutdown (lsp-find-workspace 'takeback (buffer-file-name))))

(driver-start)

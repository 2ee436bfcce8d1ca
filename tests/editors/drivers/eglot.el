;;; eglot.el --- what Emacs's driver needs of Eglot  -*- lexical-binding: t -*-
(defun driver-ready () (and (eglot-current-server) (eglot-managed-p)))

(defun driver-request (method params) (jsonrpc-request (eglot-current-server) method params :timeout 20))

(defun driver-command (name arguments)
  (eglot-json (driver-request :workspace/executeCommand (list :command name :arguments arguments))))

(defun eglot-json (value)
  "VALUE with Eglot's false as JSON's."
  (cond ((eq value :json-false) :false)
        ((vectorp value) (vconcat (mapcar #'eglot-json value)))
        ((consp value) (mapcar #'eglot-json value))
        (t value)))

(defun driver-actions () (vconcat (mapcar (lambda (one) (plist-get one :title)) (eglot-code-actions (point) (point)))))

(defun driver-act ()
  (let ((last-nonmenu-event t))         ; not by the mouse, so there is no menu
    (eglot-code-actions (point) (point) nil t)))

(defun driver-hover ()
  (let ((found (driver-request :textDocument/hover (eglot--TextDocumentPositionParams))))
    (if found (substring-no-properties (eglot--hover-info (plist-get found :contents) nil)) "")))

(defun driver-lenses () (error "Eglot shows no lenses"))

(defun driver-quit () (eglot-shutdown (eglot-current-server)))

(driver-start)

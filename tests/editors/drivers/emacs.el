;;; emacs.el --- Emacs does what one line of JSON after the other says  -*- lexical-binding: t -*-
;; Loaded after a configuration of docs/editors, and completed by eglot.el or lsp-mode.el beside this file.
(require 'cl-lib)

(setq ring-bell-function #'ignore)

(defvar driver-rest "")
(defvar driver-lines nil)
(defvar driver-busy nil)
(defvar driver-answers nil)
(defvar driver-asked nil)

;; What a person is asked in the minibuffer is answered from the step.
(defun driver-choose (prompt choices &rest _)
  (let ((titles (all-completions "" choices)) (wanted (pop driver-answers)))
    (push (list :message (substring-no-properties prompt) :choices (vconcat titles)) driver-asked)
    (or (and wanted (cl-find-if (lambda (title) (string-search wanted title)) titles))
        (keyboard-quit))))
(advice-add 'completing-read :override #'driver-choose)
(dolist (question '(yes-or-no-p y-or-n-p read-char-choice read-multiple-choice))
  (advice-add question :override (lambda (prompt &rest _) (error "Emacs asks: %s" prompt))))

(defun driver-visit (step)
  (let ((path (plist-get step :path)))
    (switch-to-buffer (or (find-buffer-visiting path) (find-file-noselect path)))))

(defun driver-place (step)
  (driver-visit step)
  (goto-char (point-min))
  (forward-line (1- (plist-get step :line))))

(defun driver-do (verb step)
  (pcase verb
    ("ready" (and (driver-ready) t))
    ("open" (find-file (plist-get step :path)) nil)
    ("text" (with-current-buffer (find-buffer-visiting (plist-get step :path))
              (list :text (decode-coding-string
                           (encode-coding-string (buffer-substring-no-properties (point-min) (point-max))
                                                 buffer-file-coding-system)
                           'utf-8-unix)
                    :unsaved (if (buffer-modified-p) t :false))))
    ("type" (driver-visit step)
     (goto-char (point-min))
     (re-search-forward (concat "^" (regexp-quote (plist-get step :old)) "$"))
     (replace-match (plist-get step :new) t t) nil)
    ("save" (driver-visit step) (save-buffer) nil)
    ("reload" (driver-visit step) (auto-revert-buffers) nil)
    ("undo" (driver-visit step) (let ((last-command nil)) (undo)) nil)
    ("close" (driver-visit step) (set-buffer-modified-p nil) (kill-buffer) nil)
    ("eval" (format "%S" (eval (read (plist-get step :form)) t)))
    ("command" (setq driver-answers (append (plist-get step :answers) nil) driver-asked nil)
     (condition-case problem
         (let ((result (driver-command (plist-get step :name)
                                       (if (plist-member step :arguments) (vector (plist-get step :arguments)) []))))
           (list :result result :problem nil :asked (vconcat driver-asked)))
       (error (list :result nil :problem (error-message-string problem) :asked (vconcat driver-asked)))))
    ("ask" (setq driver-answers (append (plist-get step :answers) nil) driver-asked nil)
     (takeback (plist-get step :name)) nil)
    ("asked" (vconcat (reverse driver-asked)))
    ("actions" (driver-place step) (driver-actions))
    ("act" (driver-place step)
     (setq driver-answers (list (plist-get step :title)) driver-asked nil)
     (driver-act) nil)
    ("hover" (driver-place step) (driver-hover))
    ("lenses" (driver-visit step) (driver-lenses))
    ("quit" (driver-quit) (run-with-timer 0.05 nil (lambda () (kill-emacs 0))) nil)))

(defun driver-step (process line)
  (let* ((step (json-parse-string line :object-type 'plist :null-object nil :false-object :false))
         (reply (condition-case problem
                    (with-current-buffer (window-buffer)
                      (list :value (driver-do (plist-get step :do) step)))
                  ((error quit) (list :error (error-message-string problem))))))
    (with-current-buffer (window-buffer)
      (undo-auto--add-boundary)     ; each step is a command of its own, as when a person types
      (run-hooks 'post-command-hook))
    (process-send-string process (concat (json-serialize reply :null-object nil :false-object :false) "\n"))))

(defun driver-next (process)
  (unless driver-busy
    (setq driver-busy t)
    (unwind-protect
        (while driver-lines (driver-step process (pop driver-lines)))
      (setq driver-busy nil))))

(defun driver-start ()
  (let ((process (make-network-process
                  :name "driver" :family 'local :service (getenv "TAKEBACK_DRIVER") :coding 'utf-8-unix
                  :filter (lambda (_ text)
                            (setq driver-rest (concat driver-rest text))
                            (while (string-match "\\`\\([^\n]*\\)\n" driver-rest)
                              (setq driver-lines (append driver-lines (list (match-string 1 driver-rest)))
                                    driver-rest (substring driver-rest (match-end 0)))))
                  :sentinel (lambda (&rest _) (kill-emacs 1)))))
    (set-process-query-on-exit-flag process nil)
    (run-with-timer 0 0.01 #'driver-next process)))

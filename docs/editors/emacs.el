(global-auto-revert-mode 1)             ; what others write is shown

;; Takeback changes an open file together with its buffer, and lets the file keep the time that Emacs
;; knows. Emacs compares its size too, and would ask at the next key and the next save.
(define-advice verify-visited-file-modtime (:around (known &optional buffer) takeback)
  (or (funcall known buffer)
      (with-current-buffer (or buffer (current-buffer))
        (let ((found (and buffer-file-name (file-attributes buffer-file-name))))
          (when (and found (time-equal-p (visited-file-modtime) (file-attribute-modification-time found)))
            (set-visited-file-modtime)
            t)))))
(define-advice userlock--ask-user-about-supersession-threat (:around (ask file) takeback)
  (unless (verify-visited-file-modtime) (funcall ask file)))

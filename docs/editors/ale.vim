packadd! ale
filetype plugin on

function! s:Use(filetype) abort
  call ale#linter#Define(a:filetype, {
  \   'name': 'takeback', 'lsp': 'stdio', 'executable': 'takeback', 'command': '%e lsp',
  \   'project_root': {buffer -> fnamemodify(finddir('.git', expand('#' . buffer . ':p:h') . ';'), ':p:h:h')},
  \ })
  let b:ale_linters = map(ale#linter#Get(a:filetype), {_, one -> one.name}) + ['takeback']
endfunction
autocmd FileType * call s:Use(expand('<amatch>'))

" What others write, or Takeback takes back, is shown as soon as you look.
set autoread
autocmd FocusGained,BufEnter,CursorHold * silent! checktime
let g:ale_lsp_show_message_severity = 'information'

" :Takeback undoLast {"n": 2} needs its arguments: ALE cannot be asked.
command! -nargs=+ Takeback call s:Run(<f-args>)
function! s:Run(name, ...) abort
  for l:id in keys(ale#lsp#GetConnections()) | call ale#lsp#NotifyForChanges(l:id, bufnr('')) | endfor
  let l:arguments = a:0 ? json_decode(join(a:000)) : {}
  call ale#lsp_linter#SendRequest(bufnr(''), 'takeback',
  \   ale#lsp#message#ExecuteCommand('takeback.' . a:name, [l:arguments]), {answer -> s:Show(answer)})
endfunction
function! s:Show(answer) abort
  echomsg 'Takeback: ' . (has_key(a:answer, 'error') ? a:answer.error.message : get(a:answer.result, 'outcome', 'done'))
  checktime
endfunction

" Vim does what one line of JSON after the other says, and answers each with a line.
set hidden
let s:lines = []
let s:answer = v:null
let s:leaving = 0

function! s:Visit(step) abort
  execute (bufnr(a:step.path) < 0 ? 'edit ' : 'buffer ') . fnameescape(a:step.path)
endfunction

function! s:Place(step) abort
  call s:Visit(a:step)
  call cursor(a:step.line, 1)
endfunction

function! s:Await(F) abort
  let l:n = 0
  while !a:F() && l:n < 2000 | sleep 10m | let l:n += 1 | endwhile
  if !a:F() | throw 'it never came' | endif
endfunction

function! s:Kept(answer) abort
  let s:answer = a:answer
endfunction

function! s:Asked(message) abort
  let s:answer = v:null
  for l:id in keys(ale#lsp#GetConnections()) | call ale#lsp#NotifyForChanges(l:id, bufnr('')) | endfor
  call ale#lsp_linter#SendRequest(bufnr(''), 'takeback', a:message, {answer -> s:Kept(answer)})
  call s:Await({-> s:answer isnot v:null})
  return s:answer
endfunction

let s:does = {}

function! s:does.ready(step) abort
  return len(filter(values(ale#lsp#GetConnections()), {_, one -> one.initialized && has_key(one.open_documents, bufnr(''))})) > 0
endfunction

function! s:does.open(step) abort
  execute 'edit ' . fnameescape(a:step.path)
endfunction

function! s:does.text(step) abort
  let l:buffer = bufnr(a:step.path)
  let l:ending = getbufvar(l:buffer, '&fileformat') ==# 'dos' ? "\r\n" : "\n"
  let l:text = join(getbufline(l:buffer, 1, '$'), l:ending) . (getbufvar(l:buffer, '&endofline') ? l:ending : '')
  return {'text': l:text, 'unsaved': getbufvar(l:buffer, '&modified') ? v:true : v:false}
endfunction

function! s:does.type(step) abort
  call s:Visit(a:step)
  let l:line = index(getline(1, '$'), a:step.old) + 1
  if !l:line | throw 'no such line: ' . a:step.old | endif
  call setline(l:line, a:step.new)
endfunction

function! s:does.save(step) abort
  call s:Visit(a:step)
  write
endfunction

function! s:does.reload(step) abort
  call s:Visit(a:step)
  checktime
endfunction

function! s:does.undo(step) abort
  call s:Visit(a:step)
  undo
endfunction

function! s:does.close(step) abort
  execute 'bdelete! ' . fnameescape(a:step.path)
endfunction

function! s:does.command(step) abort
  let l:arguments = has_key(a:step, 'arguments') ? [a:step.arguments] : []
  let l:answer = s:Asked(ale#lsp#message#ExecuteCommand(a:step.name, l:arguments))
  let l:problem = has_key(l:answer, 'error') ? l:answer.error.message : v:null
  return {'result': get(l:answer, 'result', v:null), 'problem': l:problem, 'asked': []}
endfunction

function! s:Menu(data, items) abort
  let s:data = a:data
  let s:items = a:items
endfunction

function! s:Actions(step) abort
  call s:Place(a:step)
  let s:items = v:null
  call ale#codefix#Execute(0, function('s:Menu'))
  call s:Await({-> s:items isnot v:null})
  return s:items
endfunction

function! s:does.actions(step) abort
  return map(copy(s:Actions(a:step)), {_, one -> one[1].title})
endfunction

function! s:does.act(step) abort
  let l:item = filter(copy(s:Actions(a:step)), {_, one -> stridx(one[1].title, a:step.title) >= 0})[0][1]
  call ale#codefix#ApplyLSPCodeAction(s:data, l:item)
endfunction

function! s:does.hover(step) abort
  call s:Place(a:step)
  let l:answer = s:Asked(ale#lsp#message#Hover(bufnr(''), line('.'), col('.')))
  return l:answer.result is v:null ? '' : join(ale#hover#ParseLSPResult(l:answer.result.contents)[1], "\n")
endfunction

function! s:does.quit(step) abort
  let s:leaving = 1
  call ale#lsp#StopAll()
endfunction

function! s:Answer(channel, line) abort
  let l:step = json_decode(a:line)
  try
    let l:reply = {'value': s:does[l:step.do](l:step)}
    let &undolevels = &undolevels
  catch
    let l:reply = {'error': v:exception . ' ' . v:throwpoint}
  endtry
  call ch_sendraw(a:channel, json_encode(l:reply) . "\n")
endfunction

let s:channel = ch_open('unix:' . $TAKEBACK_DRIVER, {'mode': 'nl', 'callback': {_, line -> add(s:lines, line)}})

function! Drive() abort
  while !s:leaving && ch_status(s:channel) ==# 'open'
    sleep 5m
    while !empty(s:lines) | call s:Answer(s:channel, remove(s:lines, 0)) | endwhile
  endwhile
  qall!
endfunction

;; Grows its memory without end; the limit stops the memory, and it traps.
(module
  (memory 1)
  (func (export "net.rx") (param i32 i32) (result i32)
    (loop $more
      (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (unreachable)))

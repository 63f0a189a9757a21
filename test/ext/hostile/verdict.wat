;; Answers with a number that is no verdict.
(module
  (func (export "net.rx") (param i32 i32) (result i32) (i32.const 77)))

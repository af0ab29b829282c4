module graft.example/service

go 1.24

require graft.example/graft v0.0.0

replace graft.example/graft => ../../bindings/go

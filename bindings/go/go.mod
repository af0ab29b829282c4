module graft.example/graft

go 1.24

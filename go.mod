module maturitybot

go 1.26

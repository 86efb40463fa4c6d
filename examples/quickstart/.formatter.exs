[inputs: ["*.exs", "{lib,test}/**/*.{ex,exs}"], import_deps: [:upcall]]

from rehab_edge.main import app

app()

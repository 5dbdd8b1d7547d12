"""Pictures of results: plain data in, a plotly figure out. Knows nothing of Streamlit."""

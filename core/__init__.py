"""Everything but the pages: what is stored, asked, computed and compared. Knows nothing of Streamlit."""

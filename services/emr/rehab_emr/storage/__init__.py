"""Where endpoints, lanes and deliveries are kept: ids, codes, times; what tells more is sealed."""

-- Which count of the folds' changes made a version, and which a replica's code is at. Code of before
-- tells neither: that was the first.
ALTER TABLE read_model_version ADD COLUMN folds integer NOT NULL DEFAULT 1;
ALTER TABLE replica ADD COLUMN folds integer NOT NULL DEFAULT 1;
